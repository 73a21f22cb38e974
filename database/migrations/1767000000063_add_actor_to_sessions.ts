import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * Who acts as the user, in a support session: `user:7` or `service_client:ID`. Null in all others.
 */
export default class extends BaseSchema {
  protected tableName = 'sessions'

  async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.string('actor').nullable()
    })
    this.schema.raw(
      `CREATE INDEX sessions_live_support ON sessions (actor) WHERE kind = 'support' AND ended_at IS NULL`
    )
  }

  async down() {
    this.schema.raw('DROP INDEX sessions_live_support')
    dropColumns(this.schema, this.tableName, ['actor'])
  }
}
