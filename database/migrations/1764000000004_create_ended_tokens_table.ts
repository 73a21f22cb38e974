import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * What explains a 401 to the holder of a token that was once valid. `reason` stands here only
 * where no session can say it: `rotated` for a spent refresh token and its access token, and the
 * end of an API key.
 */
export default class extends BaseSchema {
  protected tableName = 'ended_tokens'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('hash', 64).notNullable().primary()
      table.string('type', 16).notNullable()
      table.uuid('session_id').nullable().references('sessions.id').onDelete('CASCADE')
      table.integer('user_id').nullable()
      table.string('reason', 32).nullable()
      table.timestamp('ended_at').notNullable()

      table.index(['session_id'], 'ended_tokens_by_session')
      table.index(['ended_at'], 'ended_tokens_by_time')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
