import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * Accounts on which devices supersede each other again and again (`SESSION_CONTEST`), one row each.
 * `count` and `since` are of the contest that goes on; `refuses_until` ends `SESSION_CONTEST_COOLDOWN`.
 *
 * `sessions.device_known_since` says since when the user signs in on a device that sends an id. Each
 * session takes it from the one before on that device, so it outlives the pruning of sessions. Null:
 * since this session.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.createTable('contested_accounts', (table) => {
      table.integer('user_id').primary().notNullable().references('users.id').onDelete('CASCADE')
      table.timestamp('since').notNullable()
      table.timestamp('last_at').notNullable()
      table.integer('count').notNullable()
      table.text('devices').notNullable()
      table.timestamp('refuses_until').nullable()
      table.timestamp('cleared_at').nullable()
    })
    this.schema.alterTable('sessions', (table) => {
      table.timestamp('device_known_since').nullable()
    })
    this.schema.raw(
      'CREATE INDEX sessions_by_device ON sessions (user_id, device_id) WHERE device_id IS NOT NULL'
    )
    this.schema.raw(
      `CREATE INDEX sessions_superseded ON sessions (user_id, ended_at) WHERE end_reason = 'superseded'`
    )
  }

  async down() {
    this.schema.raw('DROP INDEX sessions_superseded')
    this.schema.raw('DROP INDEX sessions_by_device')
    dropColumns(this.schema, 'sessions', ['device_known_since'])
    this.schema.dropTable('contested_accounts')
  }
}
