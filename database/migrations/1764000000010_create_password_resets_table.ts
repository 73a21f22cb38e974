import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Reset links that are out: the hash of the secret alone, so that whoever reads the database can
 * follow none of them.
 */
export default class extends BaseSchema {
  protected tableName = 'password_resets'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('hash', 64).notNullable().primary()
      table.integer('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table.timestamp('created_at').notNullable()
      table.timestamp('expires_at').notNullable()

      table.index(['user_id'], 'password_resets_by_user')
      table.index(['expires_at'], 'password_resets_by_time')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
