import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
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
