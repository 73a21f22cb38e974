import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * Instants before which credentials of old systems are worth nothing: one a user, and one for
 * everyone in a table of one row. Until now the log said so, and the log is pruned: what it still
 * tells is carried over.
 *
 * A watermark (table `cutoffs`) also keeps the idle timeout that was in force at its moment, so that
 * what a covered session ended by can be told later, under any configuration.
 */
const MOVES = "('force_logout', 'password.changed', 'password.reset', 'user.disabled')"

export default class extends BaseSchema {
  async up() {
    this.schema.alterTable('users', (table) => {
      table.timestamp('valid_from').nullable()
    })
    this.schema.createTable('everyone', (table) => {
      table.integer('id').notNullable().primary()
      table.timestamp('valid_from').nullable()
    })
    this.schema.alterTable('cutoffs', (table) => {
      table.bigInteger('idle_timeout').nullable()
    })
    this.defer(async (db) => {
      await db.rawQuery(
        `UPDATE users SET valid_from = (
           SELECT max(occurred_at) FROM session_events
           WHERE session_events.user_id = users.id AND type IN ${MOVES}
         )`
      )
      await db.rawQuery(
        `INSERT INTO everyone (id, valid_from)
         SELECT 1, max(occurred_at) FROM session_events WHERE user_id IS NULL AND type IN ${MOVES}`
      )
    })
  }

  async down() {
    this.schema.dropTable('everyone')
    dropColumns(this.schema, 'users', ['valid_from'])
    this.schema.alterTable('cutoffs', (table) => {
      table.dropColumn('idle_timeout')
    })
  }
}
