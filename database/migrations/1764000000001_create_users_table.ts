import { BaseSchema } from '@adonisjs/lucid/schema'

export default class extends BaseSchema {
  protected tableName = 'users'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.increments('id').notNullable()
      table.string('full_name').nullable()
      table.string('email', 254).notNullable().unique()
      table.string('password').notNullable()
      table.string('role', 32).notNullable().defaultTo('user')

      /**
       * The user's own session limit; null: the limit of the role or of the configuration.
       */
      table.integer('session_limit').nullable()

      /**
       * Sessions up to this number and API keys up to this id are covered by a watermark: dead
       * at the next lookup, though their rows still wait to be ended.
       */
      table.bigInteger('cut_session_seq').notNullable().defaultTo(0)
      table.bigInteger('cut_api_key_id').notNullable().defaultTo(0)

      table.timestamp('disabled_at').nullable()
      table.timestamp('created_at').notNullable()
      table.timestamp('updated_at').notNullable()
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
