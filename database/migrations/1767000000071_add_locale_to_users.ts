import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * The language that a user chose: `en` or `de`. Null: none yet.
 */
export default class extends BaseSchema {
  protected tableName = 'users'

  async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.string('locale', 8).nullable()
    })
  }

  async down() {
    dropColumns(this.schema, this.tableName, ['locale'])
  }
}
