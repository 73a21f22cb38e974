import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * A device's id may have 512 characters. PostgreSQL widens the column without writing a row; SQLite
 * never held anybody to the width.
 */
export default class extends BaseSchema {
  async up() {
    if (this.db.dialect.name !== 'postgres') return
    this.schema.raw('ALTER TABLE sessions ALTER COLUMN device_id TYPE varchar(512)')
  }

  /**
   * The column stays wide: ids that need it would not fit any more.
   */
  async down() {}
}
