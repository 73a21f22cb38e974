import { BaseCheck, Result, DiskSpaceCheck, HealthChecks } from '@adonisjs/core/health'
import type { HealthCheckResult, HealthCheckReport } from '@adonisjs/core/types/health'
import db from '@adonisjs/lucid/services/db'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pendingMigrations } from '#app/migrations/pending'
import type { Database } from 'sqlite3'
import { outageOf } from '#exceptions/outage'

/**
 * A check that says in words what is wrong, also when the database can't be asked. Nothing of what
 * the driver says is told: that names users, hosts and files.
 */
abstract class OutageCheck extends BaseCheck {
  protected abstract look(): Promise<HealthCheckResult>

  override async run(): Promise<HealthCheckResult> {
    try {
      return await this.look()
    } catch (error) {
      return Result.failed(outageOf(error) ?? 'The database does not do what is asked of it.')
    }
  }
}

/**
 * Says whether this node can write to the database: by a statement that changes no row, but that
 * a database refuses which is read-only, lacks the table, or grants too little.
 */
class WritableCheck extends OutageCheck {
  override name = 'Database'

  protected override async look(): Promise<HealthCheckResult> {
    await db.rawQuery('UPDATE sessions SET ended_at = ended_at WHERE 1 = 0')
    if (db.connection().dialect.name !== 'postgres') await readAnew()
    return Result.ok('The database can be written')
  }
}

/**
 * Reads SQLite's file by a connection that has nothing of it in memory. Not by `node:fs`: whoever
 * closes the file in this process takes SQLite's locks on it away.
 */
async function readAnew(): Promise<void> {
  const { client } = db.connection().getReadClient()
  const connection: Database = await client.acquireRawConnection()
  try {
    await new Promise<void>((resolve, reject) => {
      connection.all('SELECT 1 FROM users LIMIT 1', (error) => (error ? reject(error) : resolve()))
    })
  } finally {
    await client.destroyRawConnection(connection)
  }
}

/**
 * Says whether the database has every migration that this version of the application brings. Once
 * it has, it is not asked again.
 */
class MigrationsCheck extends OutageCheck {
  override name = 'Migrations'
  #applied = false

  protected override async look(): Promise<HealthCheckResult> {
    if (!this.#applied) {
      const pending = await pendingMigrations()
      if (pending.length > 0) {
        return Result.failed(
          `${pending.length} migrations wait: run "node ace migration:run --force"`
        )
      }
      this.#applied = true
    }
    return Result.ok('Every migration is applied')
  }
}

/**
 * Milliseconds for which a report is told to everybody who asks: anybody may, as often as they like.
 */
const KEEP = 500

let checks: HealthChecks | undefined
let latest: { report: Promise<HealthCheckReport>; until: number } | undefined

/**
 * Whether this node can serve: its database can be written, has every migration, and, where the
 * database is a file, the disk under it has room.
 */
export function readiness(): Promise<HealthCheckReport> {
  checks ??= new HealthChecks().register([
    new WritableCheck(),
    new MigrationsCheck(),
    ...diskChecks(),
  ])
  if (!latest || performance.now() > latest.until) {
    const asked = { report: checks.run(), until: Infinity }
    const keep = () => {
      asked.until = performance.now() + KEEP
    }
    asked.report.then(keep, keep)
    latest = asked
  }
  return latest.report
}

function diskChecks() {
  const { config } = db.manager.get(db.primaryConnectionName)!
  const file = (config.connection as { filename?: string } | undefined)?.filename
  if (!file) return []
  const check = new DiskSpaceCheck().compute(async () => {
    /** Where the directory is gone, the database says so. */
    const disk = await statfs(dirname(file)).catch(() => undefined)
    if (!disk) return { free: 1, size: 1 }
    return { free: disk.bavail * disk.bsize, size: disk.blocks * disk.bsize }
  })
  return [check.warnWhenExceeds(90).failWhenExceeds(98)]
}
