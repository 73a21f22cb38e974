import app from '@adonisjs/core/services/app'
import { BaseCheck, Result } from '@adonisjs/core/health'
import type { HealthCheckResult } from '@adonisjs/core/types/health'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import db from '@adonisjs/lucid/services/db'

/**
 * Says whether the database has every migration that this version of the application brings. Once
 * it has, it is not asked again.
 */
export class MigrationsCheck extends BaseCheck {
  override name = 'Migrations'
  #applied = false

  override async run(): Promise<HealthCheckResult> {
    if (!this.#applied) {
      const runner = new MigrationRunner(db, app, { direction: 'up' })
      const list = await runner.getList()
      const pending = list.filter((migration) => migration.status === 'pending')
      if (pending.length > 0) {
        return Result.failed(`${pending.length} migrations wait: run "node ace migration:run"`)
      }
      this.#applied = true
    }
    return Result.ok('Every migration is applied')
  }
}
