import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Mails that are to be sent: what each tells, never its text. A code in it is derived from `APP_KEY` and
 * the id of its link. A node takes one by moving `due_at` past the time that sending may take, so one
 * whose node dies is due again then; a mail that was sent has no row any more.
 */
export default class extends BaseSchema {
  protected tableName = 'outgoing_mails'

  async up() {
    this.schema.createTable(this.tableName, (table) => {
      table.uuid('id').notNullable().primary()
      table.integer('user_id').notNullable().references('users.id').onDelete('CASCADE')
      table.string('email', 320).notNullable()
      table.string('kind', 32).notNullable()
      table.text('data').notNullable()
      table.integer('attempts').notNullable().defaultTo(0)
      table.timestamp('created_at').notNullable()
      table.timestamp('due_at').notNullable()
      table.timestamp('expires_at').notNullable()

      table.index(['due_at'], 'outgoing_mails_by_time')
      table.index(['user_id', 'kind'], 'outgoing_mails_by_user')
    })
  }

  async down() {
    this.schema.dropTable(this.tableName)
  }
}
