import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Opaque tokens of the old system that became sessions: each works once. `deleted_at` is null until
 * they are gone there too, and `token_id` says where they stand.
 */
export default class extends BaseSchema {
  protected tableName = 'spent_legacy_tokens'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('hash', 64).notNullable().primary()
      table.integer('user_id').nullable().references('users.id').onDelete('SET NULL')
      table.string('token_id', 255).notNullable()
      table.timestamp('spent_at').notNullable()
      table.timestamp('deleted_at').nullable()
      table.index(['user_id'], 'spent_legacy_tokens_by_user')
      table.index(['deleted_at'], 'spent_legacy_tokens_by_deletion')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
