import { dirname } from 'node:path'
import { statfs } from 'node:fs/promises'
import { DiskSpaceCheck, HealthChecks } from '@adonisjs/core/health'
import type { HealthCheckReport } from '@adonisjs/core/types/health'
import { DbCheck } from '@adonisjs/lucid/database'
import db from '@adonisjs/lucid/services/db'
import { MigrationsCheck } from '#app/health/migrations_check'

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
