import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * Links of mails for more than a password: `purpose` says what a link does, `email` where it went, and
 * its code is derived from `id`. One that changes the address ends with the session that asked for it
 * (`session_id`). Links from before reset a password.
 *
 * `must_verify_email` marks accounts that were made while `EMAIL_VERIFICATION=required`. All others
 * count as verified where that asks, but are never told as such: nobody has shown it.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.alterTable('password_resets', (table) => {
      table.uuid('id').nullable()
      table.string('purpose', 16).notNullable().defaultTo('reset')
      table.string('email', 320).nullable()
      table.uuid('session_id').nullable()
    })
    this.schema.alterTable('users', (table) => {
      table.boolean('must_verify_email').notNullable().defaultTo(false)
    })
  }

  async down() {
    this.schema.alterTable('password_resets', (table) => {
      table.dropColumns('id', 'purpose', 'email', 'session_id')
    })
    dropColumns(this.schema, 'users', ['must_verify_email'])
  }
}
