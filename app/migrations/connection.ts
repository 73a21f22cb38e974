import db from '@adonisjs/lucid/services/db'

/**
 * The name of the connection for migrations: on PostgreSQL one without limits on time, for building an
 * index may take longer than a request may wait, and past a pooler (`config/database.ts`).
 */
export function connectionForMigrations(): string {
  const primary = db.primaryConnectionName
  return db.manager.get(primary)!.config.client === 'pg' ? 'migrations' : primary
}
