import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Addresses that an account had and left, as keyed hashes (#app/accounts/left_addresses).
 */
export default class extends BaseSchema {
  async up() {
    this.schema.createTable('left_addresses', (table) => {
      table.string('hash', 64).primary()
      table.timestamp('left_at').notNullable()
    })
  }

  async down() {
    this.schema.dropTable('left_addresses')
  }
}
