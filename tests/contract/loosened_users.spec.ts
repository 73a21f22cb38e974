import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import db from '@adonisjs/lucid/services/db'
import type { PostgreConfig, SqliteConfig } from '@adonisjs/lucid/types/database'
import { connectPoolBy } from '#app/database/postgres'
import { postgresOptions } from '#config/database'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

const OLD = 'old'

/** The migrations that version 0.1 does not know. */
const NEWER = /\/1767\d{9}_/

const TABLES = ['users', 'sessions', 'api_tokens']

/**
 * A database of its own beside that of the run, reached by the connection `old`.
 */
async function openDatabase() {
  const { config } = db.manager.get(db.primaryConnectionName)!
  if (db.connection().dialect.name === 'postgres') {
    const name = 'latchkey_old'
    await db.rawQuery(`DROP DATABASE IF EXISTS ${name}`)
    await db.rawQuery(`CREATE DATABASE ${name}`)
    const url = new URL(postgresOptions.postgres.url)
    url.pathname = `/${name}`
    db.manager.add(OLD, config as PostgreConfig)
    const { client } = db.connection(OLD).getWriteClient()
    connectPoolBy(client, { ...postgresOptions.postgres, url: url.href })
    return async () => {
      await db.manager.release(OLD)
      await db.rawQuery(`DROP DATABASE ${name}`)
    }
  }
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-old-'))
  const connection = { filename: join(directory, 'old.sqlite3') }
  db.manager.add(OLD, { ...(config as SqliteConfig), connection })
  return async () => {
    await db.manager.release(OLD)
    rmSync(directory, { recursive: true, force: true })
  }
}

async function migrate(order: { direction: 'up' } | { direction: 'down'; step: number }) {
  const runner = new MigrationRunner(db, app, { ...order, connectionName: OLD })
  await runner.run()
  if (runner.error) throw runner.error
  return Object.keys(runner.migratedFiles)
}

/**
 * The schema as it was before the newer migrations: they count as run while the others are.
 */
async function makeOldSchema() {
  const runner = new MigrationRunner(db, app, { direction: 'up', connectionName: OLD })
  const known = await runner.getList()
  const newer = known.map(({ name }) => name).filter((name) => NEWER.test(name))
  const old = db.connection(OLD)
  await old.table('adonis_schema').multiInsert(newer.map((name) => ({ name, batch: 1 })))
  await migrate({ direction: 'up' })
  await old.from('adonis_schema').whereIn('name', newer).delete()
  return newer
}

/**
 * The columns that version 0.1 knows, by table. Called on the old schema.
 */
async function oldColumns(): Promise<Record<string, string[]>> {
  const columns: Record<string, string[]> = {}
  for (const table of TABLES) {
    columns[table] = Object.keys(await db.connection(OLD).columnsInfo(table))
  }
  return columns
}

async function copyRows(columns: Record<string, string[]>) {
  const old = db.connection(OLD)
  for (const table of TABLES) {
    for (const row of await db.from(table).select(columns[table])) {
      await old.table(table).insert(row)
    }
  }
}

async function readRows(columns: Record<string, string[]>) {
  const contents: Record<string, unknown[]> = {}
  for (const table of TABLES) {
    const query = db.connection(OLD).from(table).select(columns[table])
    contents[table] = await query.orderBy('created_at').orderBy('id')
  }
  return contents
}

test.group('Accounts that need no e-mail', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a database of 0.1 keeps every user, session, token and key, there and back', async ({
    assert,
    cleanup,
  }) => {
    cleanup(await openDatabase())
    const newer = await makeOldSchema()
    const old = db.connection(OLD)
    const stranger = { full_name: null, created_at: new Date(), updated_at: new Date() }
    await assert.rejects(
      () => old.table('users').insert({ ...stranger, email: null, password: 'x' }),
      /null/i
    )

    for (const user of [await makeUser(), await makeUser({ role: 'admin' })]) {
      await signIn(user)
      await signIn(user, { id: 'phone' })
      await makeApiKey(user, ['account:read'])
    }
    const columns = await oldColumns()
    await copyRows(columns)
    const before = await readRows(columns)
    assert.deepEqual(
      TABLES.map((table) => before[table].length),
      [2, 4, 6]
    )

    for (const direction of ['up', 'down', 'up'] as const) {
      const files = await migrate(
        direction === 'up' ? { direction } : { direction, step: newer.length }
      )
      assert.lengthOf(files, newer.length)
      assert.deepEqual(await readRows(columns), before, direction)
    }

    for (const id of [1_000_001, 1_000_002]) {
      await old.table('users').insert({ ...stranger, id, email: null, password: null })
    }
    const [{ email, id }] = before.users as { id: number; email: string }[]
    await assert.rejects(
      () => old.table('users').insert({ ...stranger, id: 1_000_003, email }),
      /unique/i
    )
    await old.from('users').where('id', id).delete()
    assert.lengthOf(await old.from('api_tokens').where('tokenable_id', id), 0)
  })

  test('an empty password, which let nobody in, is none', async ({ assert, cleanup }) => {
    cleanup(await openDatabase())
    await makeOldSchema()
    await makeUser()
    await copyRows(await oldColumns())
    const old = db.connection(OLD)
    await old.from('users').update({ password: '' })
    await migrate({ direction: 'up' })
    assert.deepEqual(await old.from('users').select('password'), [{ password: null }])
  })
})
