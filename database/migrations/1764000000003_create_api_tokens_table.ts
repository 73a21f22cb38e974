import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'api_tokens'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.bigIncrements('id').notNullable()
      table.integer('tokenable_id').notNullable().references('users.id').onDelete('CASCADE')
      table.string('type', 16).notNullable()
      table.string('name').nullable()
      table.string('description', 1000).nullable()

      /**
       * SHA-256 of the whole token value, in hex: what a check looks up.
       */
      table.string('hash', 64).notNullable().unique()
      table.text('abilities').notNullable()
      table.uuid('session_id').nullable().references('sessions.id').onDelete('CASCADE')
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
      table.timestamp('last_used_at').nullable()
      table.timestamp('expires_at').nullable()

      table.index(['session_id'], 'api_tokens_by_session')
    })

    /**
     * For bulk deletes and the list of a user's API keys, which hang on no session.
     */
    this.schema.raw('CREATE INDEX api_tokens_by_user ON api_tokens (tokenable_id, type)')
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
