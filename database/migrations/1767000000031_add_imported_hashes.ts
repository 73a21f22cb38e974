import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * Users who are brought along from another system: `imported_at` is when. Hashes of other systems are
 * longer than 255 characters where they carry their parameters: PostgreSQL widens the column without
 * writing a row, SQLite never held anybody to the width.
 *
 * `foreign_hashes` holds, for each family of them that is here, a hash of nobody's password with the
 * dearest parameters: an attempt that fails does all of their work (#app/passwords/foreign_hashes_here).
 */
export default class extends BaseSchema {
  async up() {
    this.schema.alterTable('users', (table) => {
      table.timestamp('imported_at').nullable()
    })
    if (this.db.dialect.name === 'postgres') {
      this.schema.raw('ALTER TABLE users ALTER COLUMN password TYPE text')
    }
    this.schema.createTable('foreign_hashes', (table) => {
      table.string('family', 32).primary()
      table.bigInteger('work').notNullable()
      table.string('decoy', 512).notNullable()
    })
  }

  /**
   * The column stays wide: hashes that need it would not fit any more.
   */
  async down() {
    this.schema.dropTable('foreign_hashes')
    dropColumns(this.schema, 'users', ['imported_at'])
  }
}
