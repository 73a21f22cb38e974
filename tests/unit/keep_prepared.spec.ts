import { promisify } from 'node:util'
import { test } from '@japa/runner'
import sqlite3, { type Database } from 'sqlite3'
import { keepPrepared } from '#app/database/keep_prepared'

/**
 * A database in memory whose statements are counted as they are compiled.
 */
async function openDatabase() {
  const connection = new sqlite3.Database(':memory:')
  const compiled: string[] = []
  const prepare = connection.prepare.bind(connection)
  connection.prepare = ((sql: string, done: () => void) => {
    compiled.push(sql)
    return prepare(sql, done)
  }) as Database['prepare']
  keepPrepared(connection)
  const all = (sql: string, values: unknown[] = []) =>
    new Promise<unknown[]>((resolve, reject) => {
      connection.all(sql, values, (error, rows) => (error ? reject(error) : resolve(rows)))
    })
  await all('CREATE TABLE notes (id integer PRIMARY KEY, text TEXT UNIQUE)')
  return { connection, compiled, all }
}

test.group('Statements of SQLite that are kept', () => {
  test('one that comes again is compiled once, whatever it binds', async ({ assert }) => {
    const { compiled, all } = await openDatabase()
    for (const text of ['a', 'b', 'c']) {
      assert.deepEqual(await all('INSERT INTO notes (text) VALUES (?) RETURNING text', [text]), [
        { text },
      ])
    }
    assert.deepEqual(await all('SELECT count(*) AS count FROM notes'), [{ count: 3 }])
    assert.lengthOf(compiled, 3)
  })

  test('one that can not be compiled, or fails, stands in nobody else’s way', async ({
    assert,
  }) => {
    const { all } = await openDatabase()
    const insert = 'INSERT INTO notes (text) VALUES (?)'
    await all(insert, ['a'])
    await assert.rejects(() => all('SELECT nonsense FROM nowhere'), /no such table/)
    await assert.rejects(() => all(insert, ['a']), /UNIQUE/)
    await all(insert, ['b'])
    await assert.rejects(() => all('SELECT nonsense FROM nowhere'), /no such table/)
    await all('BEGIN')
    await assert.rejects(() => all(insert, ['a']), /UNIQUE/)
    await all(insert, ['c'])
    await all('COMMIT')
    assert.lengthOf(await all('SELECT * FROM notes'), 3)
  })

  test('one sees the columns that were added since', async ({ assert }) => {
    const { all } = await openDatabase()
    await all('INSERT INTO notes (text) VALUES (?)', ['a'])
    assert.deepEqual(await all('SELECT * FROM notes'), [{ id: 1, text: 'a' }])
    await all('ALTER TABLE notes ADD COLUMN by TEXT')
    assert.deepEqual(await all('SELECT * FROM notes'), [{ id: 1, text: 'a', by: null }])
  })

  test('there are never more than a few hundred, and closing lets all of them go', async ({
    assert,
  }) => {
    const { connection, compiled, all } = await openDatabase()
    for (let number = 0; number < 300; number++) await all(`SELECT ${number} AS number`)
    const before = compiled.length
    await all('SELECT 299 AS number')
    assert.lengthOf(compiled, before)
    await all('SELECT 0 AS number')
    assert.lengthOf(compiled, before + 1)
    await promisify(connection.close.bind(connection))()
  })
})
