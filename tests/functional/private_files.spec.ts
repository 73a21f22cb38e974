import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { runAce } from '#tests/harness/ace'
import { startServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

test.group('Files of the embedded database', () => {
  test('are for their owner alone, and an old one that is not is named at start', async ({
    assert,
    cleanup,
  }) => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-private-'))
    cleanup(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'db.sqlite3')
    const env = { DB_CONNECTION: 'sqlite', SQLITE_FILE: file, LOG_LEVEL: 'warn' }

    await runAce(['migration:run'], { env })
    const server = await startServer({ env })
    await fetch(`${server.url}/health/ready`)
    const files = readdirSync(directory)
    assert.include(files, 'db.sqlite3')
    for (const name of files)
      assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
    await server.stop()
    assert.notInclude(server.output(), file)

    const content = new DatabaseSync(file)
    content.exec('CREATE TABLE old (id INTEGER)')
    content.close()
    chmodSync(file, 0o644)
    const next = await startServer({ env })
    await until(() => next.output().includes('chmod 600'), 'The server should warn')
    await next.stop()
    assert.include(next.output(), 'chmod 600')
    assert.include(next.output(), file)
  })
    .timeout(60_000)
    .skip(process.env.DB_CONNECTION === 'postgres', 'is shown by the run on SQLite')
})

test.group('.env', () => {
  /**
   * What `npm run quickstart`, `dev` and `start` do about `.env` in a checkout, under a umask that
   * lets others read.
   */
  function createEnvFile(cleanup: (undo: () => void) => void, content?: string) {
    const checkout = mkdtempSync(join(tmpdir(), 'latchkey-checkout-'))
    cleanup(() => rmSync(checkout, { recursive: true }))
    const ready = new URL('../../bin/ready', import.meta.url)
    cpSync(ready, join(checkout, 'bin/ready'), { recursive: true })
    writeFileSync(join(checkout, 'package.json'), '{"type":"module"}')
    const file = join(checkout, '.env')
    if (content !== undefined) writeFileSync(file, content, { mode: 0o644 })
    const program = `process.umask(0o022)
      const { createEnvFile } = await import('./bin/ready/env_file.js')
      createEnvFile()`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: checkout,
      encoding: 'utf8',
      env: { ...process.env, APP_KEY: '' },
    })
    if (status !== 0) throw new Error(stderr)
    return { mode: statSync(file).mode & 0o777, content: readFileSync(file, 'utf8') }
  }

  test('one that is made is for its owner alone', ({ assert, cleanup }) => {
    const made = createEnvFile(cleanup)
    assert.equal(made.mode, 0o600)
    assert.match(made.content, /^APP_KEY=[\w-]{43}\n$/)
  })

  test('a copy of .env.example that gets a key is for its owner alone', ({ assert, cleanup }) => {
    const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')
    const made = createEnvFile(cleanup, example)
    assert.equal(made.mode, 0o600)
    assert.match(made.content, /^APP_KEY=[\w-]{43}$/m)
  })

  test('one that has a key stays as it is', ({ assert, cleanup }) => {
    const kept = createEnvFile(cleanup, `APP_KEY=${'k'.repeat(43)}\n`)
    assert.deepEqual(kept, { mode: 0o644, content: `APP_KEY=${'k'.repeat(43)}\n` })
  })

  test('each of its kind that others may read is named at start', async ({ assert, cleanup }) => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-env-'))
    cleanup(() => rmSync(directory, { recursive: true }))
    const open = ['.env', '.env.test', '.env.local'].map((name) => join(directory, name))
    for (const file of open) writeFileSync(file, 'LOG_LEVEL=warn\n', { mode: 0o640 })
    const own = join(directory, '.env.test.local')
    writeFileSync(own, 'LOG_LEVEL=warn\n', { mode: 0o600 })
    const server = await startServer({ env: { ENV_PATH: directory, LOG_LEVEL: 'warn' } })
    cleanup(() => server.stop())
    const named = () => open.filter((file) => server.output().includes(`"${file}"`))
    await until(() => named().length === open.length, 'The server should name all of them')
    assert.include(server.output(), 'chmod 600')
    assert.notInclude(server.output(), own)
  }).timeout(60_000)
})
