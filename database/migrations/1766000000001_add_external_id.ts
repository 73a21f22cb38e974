import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * The id by which another system knows a user: a JWT of that system may carry nothing else.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.alterTable('users', (table) => {
      table.string('external_id', 255).nullable()
      table.unique(['external_id'], { indexName: 'users_by_external_id' })
    })
  }

  async down() {
    this.schema.alterTable('users', (table) => {
      table.dropUnique(['external_id'], 'users_by_external_id')
    })
    dropColumns(this.schema, 'users', ['external_id'])
  }
}
