import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * How much of each rate limit is used up, shared by all nodes. Keys are keyed hashes; `expire` is in
 * milliseconds of the Unix epoch.
 */
export default class extends BaseSchema {
  protected tableName = 'rate_limits'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.string('key', 255).notNullable().primary()
      table.integer('points').notNullable().defaultTo(0)
      table.bigInteger('expire').notNullable()

      table.index(['expire'], 'rate_limits_by_time')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
