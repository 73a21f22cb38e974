import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Other backends that may ask about tokens, revoke them or read the feed. Of the secret the
 * database knows the SHA-256 alone.
 */
export default class extends BaseSchema {
  protected tableName = 'service_clients'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('id', 36).notNullable().primary()
      table.string('secret_hash', 64).notNullable()
      table.string('name', 100).notNullable()
      table.string('abilities').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('revoked_at').nullable()
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
