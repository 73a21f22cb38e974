import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Watermarks: they stop many tokens at one commit, before their rows are ended in batches.
 * `user_id` null: everyone.
 */
export default class extends BaseSchema {
  protected tableName = 'cutoffs'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.increments('id').notNullable()
      table.integer('user_id').nullable().references('users.id').onDelete('CASCADE')
      table.bigInteger('session_seq').notNullable()
      table.bigInteger('api_key_id').notNullable().defaultTo(0)
      table.string('note', 500).nullable()
      table.string('actor').notNullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('finished_at').nullable()

      table.index(['user_id', 'session_seq'], 'cutoffs_by_user')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
