import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * When the person behind a session last showed who they are: at sign-in, or by their password once
 * more. Sessions from before have not been asked again.
 */
export default class extends BaseSchema {
  protected tableName = 'sessions'

  async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.timestamp('authenticated_at').nullable()
    })
    this.defer(async (db) => {
      await db.rawQuery('UPDATE sessions SET authenticated_at = created_at')
    })
  }

  async down() {
    dropColumns(this.schema, 'sessions', ['authenticated_at'])
  }
}
