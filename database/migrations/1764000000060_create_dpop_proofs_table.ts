import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * Proofs of possession that were used, until they are too old to be accepted (RFC 9449 §11.1),
 * and the key that a session's tokens are bound to.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.createTable('dpop_proofs', (table) => {
      table.string('hash', 64).notNullable().primary()
      table.timestamp('expires_at').notNullable()
      table.index(['expires_at'], 'dpop_proofs_by_time')
    })

    this.schema.alterTable('sessions', (table) => {
      table.string('key_thumbprint', 64).nullable()
    })
  }

  async down() {
    this.schema.dropTable('dpop_proofs')
    dropColumns(this.schema, 'sessions', ['key_thumbprint'])
  }
}
