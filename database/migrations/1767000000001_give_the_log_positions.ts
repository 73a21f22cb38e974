import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * The order in which readers follow the log. `position` counts entries up as they became visible, and
 * `mark` is random, so that a reader who kept both notices when the log was replaced by another, as by
 * a restored backup. Neither changes once given. `event_log` has one row: `log` names this log, and
 * whoever gives positions on PostgreSQL locks it (#app/event_log/positions).
 *
 * On SQLite, where one transaction writes at a time, ids are in that order already: a trigger gives both
 * with the entry, whichever version of the application writes it.
 *
 * `commit_xid` and its index are read by servers of version 0.1 alone, which may run beside this one
 * while an upgrade lasts.
 */
export default class extends BaseSchema {
  async up() {
    const onPostgres = this.db.dialect.name === 'postgres'
    const mark = onPostgres ? MARK.postgres : MARK.sqlite

    this.schema.createTable('event_log', (table) => {
      table.integer('id').notNullable().primary()
      table.string('log', 16).notNullable()
    })
    this.schema.raw(`INSERT INTO event_log (id, log) VALUES (1, ${mark})`)
    this.schema.alterTable('session_events', (table) => {
      table.bigInteger('position').nullable()
      table.string('mark', 16).nullable()
    })
    this.schema.raw(
      onPostgres
        ? `UPDATE session_events SET position = numbered.position, mark = ${mark}
           FROM (
             SELECT id, row_number() OVER (ORDER BY commit_xid, id) AS position FROM session_events
           ) AS numbered
           WHERE session_events.id = numbered.id`
        : `UPDATE session_events SET position = id, mark = ${mark}`
    )
    this.schema.raw(
      'CREATE UNIQUE INDEX session_events_by_position ON session_events (position) WHERE position IS NOT NULL'
    )
    this.schema.raw(
      onPostgres
        ? 'CREATE INDEX session_events_without_position ON session_events (id) WHERE position IS NULL'
        : `CREATE TRIGGER session_events_position AFTER INSERT ON session_events BEGIN
             UPDATE session_events SET position = id, mark = ${mark} WHERE id = NEW.id;
           END`
    )
  }

  async down() {
    const onPostgres = this.db.dialect.name === 'postgres'
    if (!onPostgres) this.schema.raw('DROP TRIGGER session_events_position')
    else this.schema.raw('DROP INDEX session_events_without_position')
    this.schema.raw('DROP INDEX session_events_by_position')
    dropColumns(this.schema, 'session_events', ['position', 'mark'])
    this.schema.dropTable('event_log')
  }
}

const MARK = {
  postgres: "left(replace(gen_random_uuid()::text, '-', ''), 16)",
  sqlite: 'lower(hex(randomblob(8)))',
}
