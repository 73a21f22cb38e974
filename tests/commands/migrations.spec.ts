import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import { connectionForMigrations } from '#app/migrations/connection'
import { lockMigrations } from '#app/migrations/lock'
import { pendingMigrations } from '#app/migrations/pending'
import { makeUser } from '#tests/harness/accounts'
import { runAce, startAce } from '#tests/harness/ace'
import { runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { ownPostgres } from '#tests/harness/environment'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

const usesPostgres = process.env.DB_CONNECTION === 'postgres'

/**
 * The variables of an empty database of its own.
 */
async function emptyOne(cleanup: (undo: () => void) => void): Promise<Record<string, string>> {
  if (usesPostgres) {
    return { DATABASE_URL: await ownPostgres()!.createDatabase(`empty_${Date.now()}`) }
  }
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-empty-'))
  cleanup(() => rmSync(directory, { recursive: true }))
  return { SQLITE_FILE: join(directory, 'empty.sqlite3') }
}

test.group('Migrations', (group) => {
  group.tap((one) => one.timeout(120_000))
  group.each.skip(
    usesPostgres && !ownPostgres(),
    'needs a PostgreSQL on which it may create databases'
  )

  test('of three at once one migrates, and the others wait and are content', async ({
    assert,
    cleanup,
  }) => {
    const env = await emptyOne(cleanup)
    const args = ['migration:run', '--no-schema-generate']
    const all = await Promise.all(Array.from({ length: 3 }, () => runAce(args, { env })))
    assert.deepEqual(
      all.map(({ exitCode }) => exitCode),
      [0, 0, 0],
      all.map(({ stderr, stdout }) => stdout + stderr).join('\n')
    )
    const said = all.map(({ stdout }) =>
      stdout.includes('Migrated in') ? 'migrated' : 'up to date'
    )
    assert.deepEqual(said.sort(), ['migrated', 'up to date', 'up to date'])
  })

  test('wait for one that holds the database, and say so', async ({ assert, cleanup }) => {
    const lock = await lockMigrations(connectionForMigrations(), () => assert.fail('it is free'))
    cleanup(() => lock.release())
    const second = startAce(['migration:run', '--no-schema-generate'])
    await until(() => second.output().includes('waiting for it'), 'it waits', 60_000)
    assert.isNull(second.process.exitCode)
    await lock.release()
    const { exitCode, stdout } = await second.finished
    assert.equal(exitCode, 0)
    assert.include(stdout, 'Already up to date')
  })

  test('may take as long as they need', async ({ assert }) => {
    const limits = async (connection: string) => {
      const shown = await db.connection(connection).rawQuery('SHOW statement_timeout')
      return shown.rows[0].statement_timeout
    }
    assert.notEqual(await limits(db.primaryConnectionName), '0')
    assert.equal(await limits(connectionForMigrations()), '0')
  }).skip(!usesPostgres, 'SQLite has no limit')

  test('that are missing are named at start, answer 503, and are noticed once applied', async ({
    assert,
    cleanup,
  }) => {
    const env: Record<string, string> = { ...(await emptyOne(cleanup)), LOG_LEVEL: 'info' }
    if (env.SQLITE_FILE) writeFileSync(env.SQLITE_FILE, '')
    const server = await startServer({ env })
    cleanup(() => server.stop())
    await until(() => server.output().includes('pending'), 'it says what is missing', 30_000)
    assert.include(server.output(), 'create_users_table')
    assert.include(server.output(), 'node ace migration:run --force')
    const body = { email: 'ada@example.com', password: 'correct horse battery staple' }
    const requests = [
      call(server.url, 'POST', '/api/v1/auth/login', { body }),
      call(server.url, 'POST', '/api/v1/auth/signup', { body }),
      call(server.url, 'GET', '/api/v1/account', { token: `oat_${'a'.repeat(43)}` }),
      call(server.url, 'GET', '/health/ready'),
    ]
    for (const { status } of await Promise.all(requests)) assert.equal(status, 503)

    const migrated = await runAce(['migration:run', '--force', '--no-schema-generate'], { env })
    assert.equal(migrated.exitCode, 0, migrated.stderr)
    await until(() => server.output().includes('every migration now'), 'it notices', 30_000)
    const { status } = await call(server.url, 'POST', '/api/v1/auth/signup', { body })
    assert.equal(status, 201)
  })

  test('a missing file is named at start, and is used once it is there', async ({
    assert,
    cleanup,
  }) => {
    const env = { ...(await emptyOne(cleanup)), LOG_LEVEL: 'info' }
    const server = await startServer({ env })
    cleanup(() => server.stop())
    await until(() => server.output().includes('no database file'), 'it says so', 30_000)
    assert.include(server.output(), 'node ace migration:run --force')
    const migrated = await runAce(['migration:run', '--no-schema-generate'], { env })
    assert.equal(migrated.exitCode, 0, migrated.stderr)
    await until(() => server.output().includes('every migration now'), 'it notices', 30_000)
    const body = { email: 'ada@example.com', password: 'correct horse battery staple' }
    const { status } = await call(server.url, 'POST', '/api/v1/auth/signup', { body })
    assert.equal(status, 201)
  }).skip(usesPostgres, 'is about the file of SQLite')

  test('that are missing turn into 503 whatever fails for them', async ({ assert, cleanup }) => {
    await emptyDatabase()
    const { email } = await makeUser()
    const server = `http://${process.env.HOST}:${process.env.PORT}`
    const signIn = () => logIn(server, email, { device: { id: 'd'.repeat(512) } })
    const applied = await db.from('adonis_schema').where('name', 'like', '%widen_device_id').first()
    const widen = (length: number) =>
      db.rawQuery(`ALTER TABLE sessions ALTER COLUMN device_id TYPE varchar(${length})`)
    cleanup(async () => {
      await widen(512)
      await db.from('adonis_schema').where('name', applied.name).delete()
      await db.table('adonis_schema').insert({ name: applied.name, batch: applied.batch })
      await pendingMigrations()
    })
    await widen(255)
    const broken = await signIn()
    assert.equal(broken.status, 500)
    await db.from('adonis_schema').where('name', applied.name).delete()
    assert.deepEqual(await pendingMigrations(), [applied.name])
    const waiting = await signIn()
    assert.equal(waiting.status, 503)
  }).skip(!usesPostgres, 'SQLite stores a text of any length')
})

test.group('Commands of the framework that destroy data', () => {
  const production = (cleanup: (undo: () => void) => void) => {
    Object.defineProperty(app, 'inProduction', { value: true, configurable: true })
    cleanup(() => void delete (app as { inProduction?: boolean }).inProduction)
  }

  test('{$self} does nothing in production without --force, and exits 1')
    .with([
      'db:wipe',
      'db:truncate',
      'migration:fresh',
      'migration:refresh',
      'migration:reset',
      'migration:rollback',
      'migration:run',
    ])
    .run(async ({ assert, cleanup }, command) => {
      await makeUser()
      const before = await countRows('users')
      production(cleanup)
      const { exitCode, stderr } = await runCommand([command])
      assert.equal(exitCode, 1)
      assert.match(stderr, /^Error: [^\n]*Nothing was changed[^\n]*--force\n$/)
      assert.equal(await countRows('users'), before)
    })

  test('the program exits 1 with one line', async ({ assert }) => {
    const env = { NODE_ENV: 'production' }
    const { exitCode, stdout, stderr } = await runAce(['db:truncate'], { env })
    assert.equal(exitCode, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^Error: db:truncate destroys data[^\n]*--force\n$/)
  }).timeout(60_000)
})
