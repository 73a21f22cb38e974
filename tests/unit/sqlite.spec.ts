import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import sqlite3 from 'sqlite3'
import { prepared, prepareSqlite } from '#app/database/sqlite'

const INSERT = 'INSERT INTO notes (text) VALUES (?)'

/**
 * A connection to a file, as the application makes it.
 */
async function connect(file: string) {
  const connection = new sqlite3.Database(file)
  await new Promise<void>((resolve, reject) =>
    prepareSqlite(connection, (error) => (error ? reject(error) : resolve()))
  )
  const all = (sql: string, values: unknown[] = []) =>
    new Promise<unknown[]>((resolve, reject) => {
      connection.all(sql, values, (error, rows) => (error ? reject(error) : resolve(rows)))
    })
  const close = () =>
    new Promise<void>((resolve, reject) =>
      connection.close((error) => (error ? reject(error) : resolve()))
    )
  return { connection, all, close }
}

test.group('A connection to SQLite', (group) => {
  let directory: string
  const open: Awaited<ReturnType<typeof connect>>[] = []
  const connectToNotes = async () => {
    const connection = await connect(join(directory, 'notes.sqlite3'))
    open.push(connection)
    return connection
  }

  group.each.setup(async () => {
    directory = mkdtempSync(join(tmpdir(), 'latchkey-sqlite-'))
    const { all } = await connectToNotes()
    await all(`CREATE TABLE notes (id integer PRIMARY KEY, text TEXT UNIQUE,
      about integer REFERENCES notes DEFERRABLE INITIALLY DEFERRED)`)
    return async () => {
      for (const { close } of open.splice(0)) await close()
      rmSync(directory, { recursive: true })
    }
  })

  test('runs statements in the order in which they came', async ({ assert }) => {
    const { all } = await connectToNotes()
    const counts: number[] = []
    const count = async () => {
      const [found] = await all('SELECT count(*) AS count FROM notes')
      counts.push((found as { count: number }).count)
    }
    const numbers = Array.from({ length: 50 }, (_, number) => number + 1)
    await Promise.all(numbers.flatMap((number) => [all(INSERT, [number]), count()]))
    assert.deepEqual(counts, numbers)
  })

  test('is not held up by a statement that fails', async ({ assert }) => {
    const { all } = await connectToNotes()
    const attempts = await Promise.allSettled([
      all(INSERT, ['a']),
      all('SELECT nonsense FROM nowhere'),
      all(INSERT, ['a']),
      all(INSERT, ['b']),
    ])
    assert.deepEqual(
      attempts.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled']
    )
  })

  test('holds the write lock from the beginning of a transaction', async ({ assert }) => {
    const [one, other] = [await connectToNotes(), await connectToNotes()]
    await other.all('PRAGMA busy_timeout = 0')
    await one.all('BEGIN;')
    await assert.rejects(() => other.all(INSERT, ['a']), /SQLITE_BUSY/)
    await assert.rejects(() => other.all('BEGIN;'), /SQLITE_BUSY/)
    await one.all('COMMIT;')
    await other.all(INSERT, ['a'])
  })

  test('is in no transaction after a COMMIT that failed', async ({ assert }) => {
    const { all } = await connectToNotes()
    await all('BEGIN;')
    await all("INSERT INTO notes (text, about) VALUES ('a', 999)")
    await assert.rejects(() => all('COMMIT;'), /FOREIGN KEY/)
    await all('BEGIN;')
    await all('COMMIT;')
    assert.isEmpty(await all('SELECT * FROM notes'))
  })

  test('keeps a prepared statement, through changes of the schema, until it closes', async ({
    assert,
  }) => {
    const { connection, all, close } = await connectToNotes()
    open.pop()
    const sql = 'SELECT * FROM notes'
    const read = async () => {
      const statement = await prepared(connection, sql)
      return new Promise((resolve, reject) =>
        statement.all((error, rows) => (error ? reject(error) : resolve(rows)))
      )
    }
    assert.deepEqual(await read(), [])
    await all(INSERT, ['a'])
    await all('ALTER TABLE notes ADD COLUMN later TEXT')
    assert.deepEqual(await read(), [{ id: 1, text: 'a', about: null, later: null }])
    assert.strictEqual(await prepared(connection, sql), await prepared(connection, sql))
    await close()
  })

  test('tries again to prepare a statement that could not be', async ({ assert }) => {
    const { connection, all } = await connectToNotes()
    const sql = 'SELECT * FROM later'
    await assert.rejects(() => prepared(connection, sql), /no such table/)
    await all('CREATE TABLE later (id integer)')
    await prepared(connection, sql)
  })
})
