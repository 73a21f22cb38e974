import { BaseCheck, Result, DiskSpaceCheck, HealthChecks } from '@adonisjs/core/health'
import type { HealthCheckResult, HealthCheckReport } from '@adonisjs/core/types/health'
import { DbCheck } from '@adonisjs/lucid/database'
import db from '@adonisjs/lucid/services/db'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pendingMigrations } from '#app/migrations/pending'

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
