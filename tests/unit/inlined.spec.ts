import { test } from '@japa/runner'
import sqlite3 from 'sqlite3'
import { inlined } from '#app/database/inlined'

/**
 * What SQLite understands of a value, stored in a column of each affinity.
 */
const INSERT = 'INSERT INTO stored (t, n, b) VALUES (?, ?, ?)'
const READ = `SELECT typeof(t) AS tt, hex(t) AS t, typeof(n) AS tn, hex(n) AS n,
  typeof(b) AS tb, hex(b) AS b FROM stored`

async function store(
  write: (connection: sqlite3.Database, done: (e: Error | null) => void) => void
) {
  const connection = new sqlite3.Database(':memory:')
  const run = (work: (done: (error: Error | null, rows?: unknown[]) => void) => void) =>
    new Promise<unknown[] | undefined>((resolve, reject) => {
      work((error, rows) => (error ? reject(error) : resolve(rows)))
    })
  await run((done) => connection.exec('CREATE TABLE stored (t TEXT, n NUMERIC, b)', done))
  await run((done) => write(connection, done))
  const rows = await run((done) => connection.all(READ, done))
  await run((done) => connection.close(done))
  return rows
}

test.group('Values in the text of a statement for SQLite', () => {
  for (const value of [
    null,
    '',
    "it's; -- \\ ?",
    '0042',
    '1e3',
    'Zoë 📱',
    0,
    -7,
    1.5,
    1e21,
    Number.MAX_SAFE_INTEGER,
    true,
    false,
    Buffer.from([0, 1, 255, 39]),
  ]) {
    test(`${JSON.stringify(value)} is stored as when it is bound`, async ({ assert }) => {
      const bindings = typeof value === 'number' ? [null, value, null] : [value, value, value]
      const script = inlined({ sql: INSERT, bindings })
      const bound = await store((connection, done) => connection.run(INSERT, bindings, done))
      const spelled = await store((connection, done) => connection.exec(script, done))
      assert.deepEqual(spelled, bound)
      assert.lengthOf(spelled!, 1)
    })
  }

  test('instants are stored as when they are bound', async ({ assert }) => {
    const bindings = ['', new Date('2026-01-02T03:04:05.678Z'), null]
    const script = inlined({ sql: INSERT, bindings })
    const bound = await store((connection, done) => connection.run(INSERT, bindings, done))
    assert.deepEqual(await store((connection, done) => connection.exec(script, done)), bound)
  })

  test('what has no spelling is refused', ({ assert }) => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, {}, [], 1n, Symbol('x')]) {
      assert.throws(() => inlined({ sql: INSERT, bindings: [value] }), TypeError)
    }
  })
})
