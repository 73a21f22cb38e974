import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'

/**
 * An account may have no e-mail and no password: another system knows who its user is.
 *
 * PostgreSQL drops the constraints. SQLite has no such statement, and to rebuild the table would delete
 * every token by cascade: so new columns take the place of the old ones, within the transaction of the
 * migration. An empty password, which never let anybody in, is none from now on.
 */
export default class extends BaseSchema {
  async up() {
    if (this.db.dialect.name === 'postgres') {
      this.schema.raw('ALTER TABLE users ALTER COLUMN email DROP NOT NULL')
      this.schema.raw('ALTER TABLE users ALTER COLUMN password DROP NOT NULL')
      this.schema.raw("UPDATE users SET password = NULL WHERE password = ''")
      return
    }
    this.schema.raw('ALTER TABLE users ADD COLUMN loose_email varchar(254)')
    this.schema.raw('ALTER TABLE users ADD COLUMN loose_password varchar(255)')
    this.schema.raw("UPDATE users SET loose_email = email, loose_password = nullif(password, '')")
    this.schema.raw('DROP INDEX users_email_unique')
    dropColumns(this.schema, 'users', ['email', 'password'])
    this.schema.raw('ALTER TABLE users RENAME COLUMN loose_email TO email')
    this.schema.raw('ALTER TABLE users RENAME COLUMN loose_password TO password')
    this.schema.raw('CREATE UNIQUE INDEX users_email_unique ON users (email)')
  }

  /**
   * The columns stay as they are: accounts that need it would not fit any more.
   */
  async down() {}
}
