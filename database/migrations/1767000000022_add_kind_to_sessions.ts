import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * What sort of session it is: a user's own (`user`), one that an admin holds as the user (`support`),
 * or one on a device that many people use (`shared`).
 */
export default class extends BaseSchema {
  protected tableName = 'sessions'

  async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.string('kind', 16).notNullable().defaultTo('user')
    })
  }

  async down() {
    dropColumns(this.schema, this.tableName, ['kind'])
  }
}
