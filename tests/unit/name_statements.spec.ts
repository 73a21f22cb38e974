import { test } from '@japa/runner'
import type { Client } from 'pg'
import { nameStatements } from '#app/database/name_statements'

/**
 * A connection that notes what it is asked.
 */
function makeConnection() {
  const asked: { text: string; name?: string }[] = []
  const client = { query: (wording: { text: string }) => asked.push(wording) }
  nameStatements(client as unknown as Client)
  return {
    /** The names that a statement has when it comes so many times. */
    namesOf(text: string, times = 5) {
      for (let time = 0; time < times; time++) client.query({ text })
      return asked.splice(0).map(({ name }) => name)
    },
  }
}

test.group('Statements of PostgreSQL that are named', () => {
  test('one that comes often has one name on every connection, another has another', ({
    assert,
  }) => {
    const [one, other] = [makeConnection(), makeConnection()]
    const [first, second, ...later] = one.namesOf('SELECT id FROM users WHERE email = $1')
    assert.deepEqual([first, second], [undefined, undefined])
    assert.lengthOf(new Set(later), 1)
    assert.match(later[0]!, /^latchkey_\d+$/)
    assert.deepEqual(other.namesOf('SELECT id FROM users WHERE email = $1', 1), [later[0]])
    assert.notEqual(one.namesOf('SELECT id FROM users WHERE id = $1').at(-1), later[0])
  })

  test('{$self} never')
    .with([
      'select * from "users" where "email" = $1',
      'SELECT u.* FROM users u',
      'select a, "users".* from "users"',
      'UPDATE users SET id = id RETURNING *',
      'BEGIN;',
      'COMMIT;',
      'LISTEN latchkey_log',
      'CREATE TABLE notes (id int)',
    ])
    .run(({ assert }, text) => {
      assert.deepEqual(makeConnection().namesOf(text), Array(5).fill(undefined))
    })

  test('of very many different ones a few hundred', ({ assert }) => {
    const connection = makeConnection()
    const named = Array.from({ length: 2_000 }, (_, number) =>
      connection.namesOf(`SELECT ${number} AS number`).at(-1)
    ).filter((name) => name !== undefined)
    assert.isBelow(named.length, 300)
    assert.lengthOf(new Set(named), named.length)
  })
})
