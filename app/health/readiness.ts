import { BaseCheck, Result, DiskSpaceCheck, HealthChecks } from '@adonisjs/core/health'
import app from '@adonisjs/core/services/app'
import type { HealthCheckResult, HealthCheckReport } from '@adonisjs/core/types/health'
import { DbCheck } from '@adonisjs/lucid/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import db from '@adonisjs/lucid/services/db'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Says whether the database has every migration that this version of the application brings. Once
 * it has, it is not asked again.
 */
export class MigrationsCheck extends BaseCheck {
  override name = 'Migrations'
  #applied = false

  override async run(): Promise<HealthCheckResult> {
    if (!this.#applied) {
      const pending = await pendingMigrations()
      if (pending > 0) {
        return Result.failed(`${pending} migrations wait: run "node ace migration:run --force"`)
      }
      this.#applied = true
    }
    return Result.ok('Every migration is applied')
  }
}

/**
 * How many migrations of this version the database lacks. Throws when it can't be asked.
 */
export async function pendingMigrations(): Promise<number> {
  const runner = new MigrationRunner(db, app, { direction: 'up' })
  const list = await runner.getList()
  return list.filter((migration) => migration.status === 'pending').length
}

let checks: HealthChecks | undefined

/**
 * Whether this node can serve: its database answers, has every migration, and, where the database
 * is a file, the disk under it has room.
 */
export function readiness(): Promise<HealthCheckReport> {
  checks ??= new HealthChecks().register([
    new DbCheck(db.connection()),
    new MigrationsCheck(),
    ...diskChecks(),
  ])
  return checks.run()
}

function diskChecks() {
  const { config } = db.manager.get(db.primaryConnectionName)!
  const file = (config.connection as { filename?: string } | undefined)?.filename
  if (!file) return []
  const check = new DiskSpaceCheck().compute(async () => {
    const { bavail, blocks, bsize } = await statfs(dirname(file))
    return { free: bavail * bsize, size: blocks * bsize }
  })
  return [check.warnWhenExceeds(90).failWhenExceeds(98)]
}
