import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Tokens of the old system that became sessions: each works once.
 */
export default class extends BaseSchema {
  protected tableName = 'exchanged_jwts'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('hash', 64).notNullable().primary()
      table.integer('user_id').nullable().references('users.id').onDelete('SET NULL')
      table.timestamp('exchanged_at').notNullable()
      table.index(['user_id'], 'exchanged_jwts_by_user')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
