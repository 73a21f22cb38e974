import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * The append-only log, written in the transaction of what it tells: the outbox that streams, the
 * revocation feed, audit listings and counters read.
 */
export default class extends BaseSchema {
  protected tableName = 'session_events'

  async up() {
    const onPostgres = this.db.dialect.name === 'postgres'

    this.schema.createTable(this.tableName, (table) => {
      table.bigIncrements('id').notNullable()

      /**
       * Ids are drawn before a commit, so on PostgreSQL a reader that remembers the last id can
       * skip a row that commits late. Readers follow (commit_xid, id) up to the oldest
       * transaction still under way instead. SQLite has one writer: ids commit in order there.
       */
      const xid = table.bigInteger('commit_xid').notNullable()
      xid.defaultTo(onPostgres ? this.raw('(pg_current_xact_id()::text::bigint)') : 0)

      table.string('type', 32).notNullable()
      table.integer('user_id').nullable()
      table.uuid('session_id').nullable()
      table.string('reason', 32).nullable()
      table.string('actor').notNullable()
      table.text('data').notNullable().defaultTo('{}')
      table.timestamp('occurred_at').notNullable()

      table.index(['commit_xid', 'id'], 'session_events_in_order')
      table.index(['user_id', 'id'], 'session_events_by_user')
      table.index(['occurred_at'], 'session_events_by_time')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
