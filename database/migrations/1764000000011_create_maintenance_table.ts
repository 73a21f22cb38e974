import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * When each piece of regular work was last taken on, so that of all the nodes one does it.
 */
export default class extends BaseSchema {
  protected tableName = 'maintenance'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('task', 32).notNullable().primary()
      table.timestamp('claimed_at').notNullable()
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
