import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { runAce } from '#tests/harness/ace'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

test.group("SQLite's file is not what it was", (group) => {
  let directory: string
  let file: string

  group.tap((one) => one.skip(process.env.DB_CONNECTION === 'postgres', 'is about SQLite'))
  group.setup(() => {
    directory = mkdtempSync(join(tmpdir(), 'latchkey-file-'))
    return () => rmSync(directory, { recursive: true, force: true })
  })
  group.each.setup(async () => {
    await emptyDatabase()
    file = join(mkdtempSync(join(directory, 'one-')), 'latchkey.sqlite3')
  })

  const reasonOf = async (url: string) => {
    const { status, body } = await call(url, 'GET', '/health/ready')
    const database = body.data.checks.find(({ name }: { name: string }) => name === 'Database')
    return `${status} ${database.message ?? ''}`
  }
  const copyTo = (path: string) => db.rawQuery('VACUUM INTO ?', [path])

  test('{what} under a running server is a 503 that wants a restart')
    .with([
      {
        what: 'a file that is replaced',
        change: (path: string) => {
          copyFileSync(path, `${path}-restored`)
          renameSync(`${path}-restored`, path)
        },
      },
      { what: 'a file that is removed', change: (path: string) => rmSync(path) },
      { what: 'a log that is removed', change: (path: string) => rmSync(`${path}-wal`) },
    ])
    .run(async ({ assert, cleanup }, { change }) => {
      const { email } = await makeUser()
      await copyTo(file)
      const server = await startServer({ env: { SQLITE_FILE: file, LOG_LEVEL: 'error' } })
      cleanup(() => server.kill())
      const { body } = await logIn(server.url, email)
      const check = () => call(server.url, 'GET', '/api/v1/account', body.data)
      const before = await check()
      assert.equal(before.status, 200)
      assert.equal(await reasonOf(server.url), '200 ')

      change(file)
      await until(async () => {
        const { status } = await check()
        return status === 503
      }, 'no 503')
      const refused = await logIn(server.url, email)
      assert.equal(`${refused.status} ${refused.body.errors[0].code}`, '503 E_UNAVAILABLE')
      assert.match(refused.headers.get('retry-after')!, /^\d+$/)
      await until(async () => /^503 .+Restart/.test(await reasonOf(server.url)), 'ready')
      assert.equal(server.output(), '')
    })
    .timeout(60_000)

  test('a file that is no database, or none, is a 503 until it is one', async ({
    assert,
    cleanup,
  }) => {
    const { email } = await makeUser()
    const server = await startServer({ env: { SQLITE_FILE: file, LOG_LEVEL: 'fatal' } })
    cleanup(() => server.kill())
    assert.match(await reasonOf(server.url), /^503 There is no database file/)
    assert.isFalse(existsSync(file))

    writeFileSync(file, 'anything but a database '.repeat(1_000))
    await until(async () => /damaged, or is none/.test(await reasonOf(server.url)), 'damaged')
    const refused = await logIn(server.url, email)
    assert.equal(refused.status, 503)

    const backup = `${file}-backup`
    const env = { SQLITE_FILE: file, LOG_LEVEL: 'warn' }
    const copied = await runAce(['database:backup', backup, '--json'], { env })
    assert.equal(copied.exitCode, 1)
    assert.equal(JSON.parse(copied.stdout).error.code, 'E_UNAVAILABLE')
    assert.match(copied.stderr, /^Error: The database file is damaged[^\n]+\n$/)
    assert.isFalse(existsSync(backup))

    rmSync(file)
    await copyTo(file)
    await until(async () => (await reasonOf(server.url)) === '200 ', 'ready again')
    const { status } = await logIn(server.url, email)
    assert.equal(status, 200)
  }).timeout(60_000)

  test('a file that is overwritten under a running server is noticed', async ({
    assert,
    cleanup,
  }) => {
    await copyTo(file)
    const server = await startServer({ env: { SQLITE_FILE: file, LOG_LEVEL: 'fatal' } })
    cleanup(() => server.kill())
    assert.equal(await reasonOf(server.url), '200 ')
    writeFileSync(file, 'anything but a database '.repeat(20_000), { flag: 'r+' })
    await until(async () => /^503 .+damaged/.test(await reasonOf(server.url)), 'damaged')
  }).timeout(60_000)

  test('commands do not make a database whose name is mistyped', async ({ assert }) => {
    const env = { SQLITE_FILE: file }
    const { exitCode, stdout, stderr } = await runAce(['sessions:list', '--json'], { env })
    assert.equal(exitCode, 1)
    assert.equal(JSON.parse(stdout).error.code, 'E_UNAVAILABLE')
    assert.match(stderr, /^Error: There is no database file[^\n]+SQLITE_FILE[^\n]+\n$/)
    assert.isFalse(existsSync(file))
  }).timeout(60_000)

  test('a file system that is read-only is a 503', async ({ assert, cleanup }) => {
    const disk = join(directory, 'disk')
    mkdirSync(disk)
    const mount = (...args: string[]) => spawnSync('mount', args).status === 0
    if (!mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk)) {
      console.log('skipped: mounting a disk takes root on Linux')
      return
    }
    cleanup(() => void spawnSync('umount', ['-l', disk]))
    file = join(disk, 'latchkey.sqlite3')
    const { email } = await makeUser()
    await copyTo(file)
    assert.isTrue(mount('-o', 'remount,ro', disk))
    const server = await startServer({ env: { SQLITE_FILE: file, LOG_LEVEL: 'error' } })
    cleanup(() => server.kill())
    assert.match(await reasonOf(server.url), /^503 The process may not write the database file/)
    const refused = await logIn(server.url, email)
    assert.equal(`${refused.status} ${refused.body.errors[0].code}`, '503 E_UNAVAILABLE')
  }).timeout(60_000)
})
