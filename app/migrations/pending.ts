import { readdir } from 'node:fs/promises'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import { noteMigrations } from '#exceptions/lacking_migrations'

/**
 * The names of the migrations of this version that the database lacks, in their order. It is asked and
 * not changed. Throws when it can't be asked.
 */
export async function pendingMigrations(): Promise<string[]> {
  const client = db.connection()
  const isMigrated = await client.schema.hasTable('adonis_schema')
  const applied = isMigrated ? await client.from('adonis_schema').select('name') : []
  const names = new Set(applied.map(({ name }) => name))
  const files = await readdir(app.makePath('database/migrations'))
  const pending = files
    .filter((file) => /(?<!\.d)\.[jt]s$/.test(file))
    .map((file) => `database/migrations/${file.slice(0, -'.ts'.length)}`)
    .filter((name) => !names.has(name))
    .sort()
  noteMigrations({ lacking: pending.length > 0 })
  return pending
}
