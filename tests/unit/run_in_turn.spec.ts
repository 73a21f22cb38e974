import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import sqlite3 from 'sqlite3'
import { keepPrepared } from '#app/database/keep_prepared'
import { runInTurn } from '#app/database/run_in_turn'

const INSERT = 'INSERT INTO notes (text) VALUES (?)'

/**
 * A connection to a file, as the application makes it.
 */
function connect(file: string) {
  const connection = new sqlite3.Database(file)
  keepPrepared(connection)
  runInTurn(connection)
  const asked = <Answer>(method: 'all' | 'exec', ...args: unknown[]) =>
    new Promise<Answer>((resolve, reject) => {
      const call = connection[method].bind(connection) as (...all: unknown[]) => unknown
      call(...args, (error: Error | null, answer: Answer) =>
        error ? reject(error) : resolve(answer)
      )
    })
  return {
    all: (sql: string, values: unknown[] = []) => asked<unknown[]>('all', sql, values),
    exec: (sql: string) => asked<void>('exec', sql),
    close: () => new Promise((resolve) => connection.close(resolve)),
  }
}

test.group('Statements of SQLite in turn', (group) => {
  let directory: string
  const open: ReturnType<typeof connect>[] = []
  const connectTo = (name = 'notes.sqlite3') => {
    const connection = connect(join(directory, name))
    open.push(connection)
    return connection
  }

  group.each.setup(async () => {
    directory = mkdtempSync(join(tmpdir(), 'latchkey-turn-'))
    await connectTo().exec('CREATE TABLE notes (id integer PRIMARY KEY, text TEXT UNIQUE)')
    return async () => {
      for (const connection of open.splice(0)) await connection.close()
      rmSync(directory, { recursive: true })
    }
  })

  test('they run in the order in which they came', async ({ assert }) => {
    const { all, exec } = connectTo()
    const counts: number[] = []
    const count = async (name: string) => {
      const [found] = await all(`SELECT count(*) AS ${name} FROM notes`)
      counts.push(Object.values(found as object)[0])
    }
    await Promise.all(
      Array.from({ length: 50 }, (_, number) => [
        number % 3 === 0
          ? exec(`INSERT INTO notes (text) VALUES (${number})`)
          : all(INSERT, [number]),
        count(number % 7 === 0 ? 'other' : 'count'),
      ]).flat()
    )
    assert.deepEqual(
      counts,
      Array.from({ length: 50 }, (_, number) => number + 1)
    )
  })

  test('one that fails does not hold up the others', async ({ assert }) => {
    const { all, exec } = connectTo()
    const attempts = await Promise.allSettled([
      all(INSERT, ['a']),
      all('SELECT nonsense FROM nowhere'),
      all(INSERT, ['a']),
      exec('SELECT nonsense FROM nowhere'),
      all(INSERT, ['b']),
    ])
    assert.deepEqual(
      attempts.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled']
    )
  })

  test('a transaction holds the write lock from its beginning', async ({ assert }) => {
    const [one, other] = [connectTo(), connectTo()]
    await other.all('PRAGMA busy_timeout = 0')
    await one.all('BEGIN;')
    await one.all('SELECT 1')
    await assert.rejects(() => other.all(INSERT, ['a']), /SQLITE_BUSY/)
    await one.all('COMMIT;')
    await other.all(INSERT, ['a'])
  })

  test('nothing that follows a BEGIN that failed is run, until the transaction is over', async ({
    assert,
  }) => {
    const [one, other] = [connectTo(), connectTo()]
    await other.all('PRAGMA busy_timeout = 0')
    for (const end of ['ROLLBACK', 'COMMIT;']) {
      await one.all('BEGIN;')
      await one.all('SELECT 1')
      const attempts = await Promise.allSettled([
        other.all('BEGIN;'),
        other.all('SELECT * FROM notes'),
        other.all(INSERT, ['a']),
        other.exec("INSERT INTO notes (text) VALUES ('b')"),
      ])
      await one.all('COMMIT;')
      for (const attempt of attempts.slice(1)) {
        assert.equal(attempt.status, 'rejected')
        assert.match(String((attempt as PromiseRejectedResult).reason), /SQLITE_BUSY/)
      }
      await assert.rejects(() => other.all(INSERT, ['a']), /SQLITE_BUSY/)
      if (end === 'ROLLBACK') await other.all(end)
      else await assert.rejects(() => other.all(end), /SQLITE_BUSY/)
      assert.isEmpty(await other.all('SELECT * FROM notes'))
    }
    await other.all('BEGIN;')
    await other.all(INSERT, ['a'])
    await other.exec("INSERT INTO notes (text) VALUES ('b');\nCOMMIT")
    assert.lengthOf(await one.all('SELECT * FROM notes'), 2)
  })
})
