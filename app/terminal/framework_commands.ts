import type { BaseCommand, Kernel } from '@adonisjs/core/ace'
import app from '@adonisjs/core/services/app'
import type { MigrationLock } from '#app/migrations/lock'
import { CommandFailure, EXIT } from '#app/terminal/failures'

/**
 * What destroys data, and what changes the database as no two processes may at once.
 */
const DESTRUCTIVE = [
  'db:wipe',
  'db:truncate',
  'migration:fresh',
  'migration:refresh',
  'migration:reset',
  'migration:rollback',
]
const EXCLUSIVE = [
  'db:wipe',
  'migration:run',
  ...DESTRUCTIVE.filter((name) => name.startsWith('migration:')),
]

type FrameworkCommand = BaseCommand & {
  force?: boolean
  connection?: string
  disableLocks?: boolean
}

/**
 * A command that must not run. Ace tells of it in one line.
 */
class Refused extends CommandFailure {
  render(_: this, kernel: Kernel): void {
    kernel.ui.logger.logError(`Error: ${this.message}`)
    kernel.exitCode = EXIT.failed
  }
}

let lock: { holder: BaseCommand; held: MigrationLock } | undefined

/**
 * Before a command runs: in production nothing destroys data without `--force`, and whoever migrates
 * waits for others who do. Commands that a command runs are under its lock.
 */
export async function beforeCommand(given: BaseCommand): Promise<void> {
  const command = given as FrameworkCommand
  const { commandName } = given.constructor as typeof BaseCommand
  refuseWithoutForce(command, commandName)
  if (!EXCLUSIVE.includes(commandName)) return

  const { direct } = await import('#config/database')
  if (direct.pooler === 'transaction') {
    throw new Refused(
      'Migrations need a session, which a pooler of transactions does not keep. Nothing was changed. Set DATABASE_DIRECT_URL to a URL of PostgreSQL itself.'
    )
  }
  const { connectionForMigrations } = await import('#app/migrations/connection')
  command.connection ??= connectionForMigrations()
  command.disableLocks = true
  if (lock) return
  const { default: db } = await import('@adonisjs/lucid/services/db')
  /** The command says what is wrong with it. */
  if (!db.manager.has(command.connection)) return
  const { lockMigrations } = await import('#app/migrations/lock')
  const held = await lockMigrations(command.connection, () => {
    command.logger.info('Another process migrates this database: waiting for it to finish.')
  })
  lock = { holder: given, held }
}

/**
 * After a command, or when the process ends without (null).
 */
export async function afterCommand(command: BaseCommand | null): Promise<void> {
  if (!lock || (command && command !== lock.holder)) return
  const { held } = lock
  lock = undefined
  await held.release()
}

/**
 * Lucid asks, and does nothing, with exit code 0, where there is no terminal to ask on.
 */
function refuseWithoutForce(command: FrameworkCommand, commandName: string): void {
  if (!app.inProduction || command.force) return
  if (DESTRUCTIVE.includes(commandName)) {
    throw new Refused(
      `${commandName} destroys data, and NODE_ENV is production. Nothing was changed. To do it all the same: node ace ${commandName} --force`
    )
  }
  if (commandName === 'migration:run' && !process.stdin.isTTY) {
    throw new Refused(
      'In production there is nobody to ask. Nothing was changed. Run: node ace migration:run --force'
    )
  }
}
