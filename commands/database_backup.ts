import { existsSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { args } from '@adonisjs/core/ace'
import { createPrivately } from '#app/database/private_files'
import { escapeText } from '#app/terminal/escape'
import { UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'

/**
 * Makes a consistent copy of the embedded database while servers go on serving: `VACUUM INTO`
 * reads one snapshot and blocks nobody.
 */
export default class DatabaseBackup extends OperatorCommand {
  static commandName = 'database:backup'
  static description = 'Copy the embedded database (SQLite) to a file, while serving'
  static help = [
    'The file must not exist yet:',
    '  {{ binaryName }} database:backup /var/backups/latchkey-monday.sqlite3',
    'To restore, stop the servers, put the copy in the place of SQLITE_FILE, remove the files that',
    'end in -wal and -shm beside it, and start again. For PostgreSQL use pg_dump.',
  ]

  @args.string({ description: 'Where the copy goes' })
  declare file: string

  protected async perform() {
    const { default: db } = await import('@adonisjs/lucid/services/db')
    const client = db.connection('lookup')
    if (client.dialect.name === 'postgres') {
      throw new UsageFailure('This database is PostgreSQL: use pg_dump. Nothing was written.')
    }
    const file = resolve(this.file)
    if (existsSync(file)) {
      throw new UsageFailure(`${escapeText(file)} exists. Name a new file. Nothing was written.`)
    }
    createPrivately(file)
    try {
      await client.rawQuery('VACUUM INTO ?', [file])
    } catch (error) {
      rmSync(file, { force: true })
      throw error
    }

    this.printJson({ file })
    this.say(`The database was copied to ${escapeText(file)}.`)
  }
}
