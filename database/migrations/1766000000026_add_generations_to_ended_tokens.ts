import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * What a spent refresh token needs for its retries: which of its successors it holds (`successor`
 * counts them, 0 is the first) and when they were last given (`answered_at`). `first_used_at` says
 * when a token was first used and `withdrawn` that it never was, because the holder of the token
 * before it got newer ones.
 *
 * Rows from before know none of this: theirs is the first successor, given when they were spent.
 */
export default class extends BaseSchema {
  protected tableName = 'ended_tokens'

  async up() {
    this.schema.alterTable(this.tableName, (table) => {
      table.timestamp('expires_at').nullable()
      table.timestamp('first_used_at').nullable()
      table.timestamp('answered_at').nullable()
      table.integer('successor').nullable()
      table.boolean('withdrawn').nullable()
    })
  }

  async down() {
    this.schema.alterTable(this.tableName, (table) => {
      table.dropColumns('expires_at', 'first_used_at', 'answered_at', 'successor', 'withdrawn')
    })
  }
}
