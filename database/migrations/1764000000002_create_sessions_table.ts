import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'sessions'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      /**
       * Counts up with every session opened: what a watermark compares.
       */
      table.bigIncrements('seq').notNullable()
      table.uuid('id').notNullable().unique()
      table.integer('user_id').nullable().references('users.id').onDelete('SET NULL')

      table.string('device_id').nullable()
      table.string('device_name').nullable()
      table.string('platform', 32).nullable()
      table.string('ip', 64).nullable()
      table.string('user_agent', 512).nullable()

      table.timestamp('created_at').notNullable()
      table.timestamp('last_seen_at').notNullable()
      table.timestamp('expires_at').notNullable()

      table.timestamp('ended_at').nullable()
      table.string('end_reason', 32).nullable()

      /**
       * Who ended it: `user:7`, `command:NAME`, `service_client:ID`, `repl`, `system`; and, when a
       * newer sign-in took its place, that session.
       */
      table.string('ended_by').nullable()
      table.uuid('superseded_by').nullable()
    })

    /**
     * Ended sessions stay until they are pruned, so the live ones have indexes of their own, as
     * small as the number of people signed in. A device holds one live session of its user.
     */
    this.schema.raw(
      'CREATE INDEX sessions_live_by_user ON sessions (user_id) WHERE ended_at IS NULL'
    )
    this.schema.raw(
      'CREATE UNIQUE INDEX sessions_live_by_device ON sessions (user_id, device_id) WHERE ended_at IS NULL AND device_id IS NOT NULL'
    )
    this.schema.raw('CREATE INDEX sessions_live_by_seq ON sessions (seq) WHERE ended_at IS NULL')
    this.schema.raw('CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL')
    this.schema.raw('CREATE INDEX sessions_by_user ON sessions (user_id)')
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
