import { ServerResponse } from 'node:http'
import { test } from '@japa/runner'
import pg from 'pg'
import db from '@adonisjs/lucid/services/db'
import { BaseModel } from '@adonisjs/lucid/orm'
import { assertInternals, INTERNALS } from '#app/internals'

type Methods = Record<string, unknown>

/**
 * Replaces a method until the test has ended, as an upgrade of its package would.
 */
function replace(cleanup: (restore: () => void) => void, owner: object, name: string, by: unknown) {
  const methods = owner as Methods
  const isOwn = Object.hasOwn(methods, name)
  const before = methods[name]
  methods[name] = by
  cleanup(() => {
    if (isOwn) methods[name] = before
    else delete methods[name]
  })
}

const clientPrototype = () => Object.getPrototypeOf(db.connection().getWriteClient().client)
const usesPostgres = () => db.connection().dialect.name === 'postgres'

test.group('What is relied on though nothing documents it', () => {
  test('is there', async () => {
    await assertInternals()
  })

  test('is named with its package, its version and the file that relies on it', async ({
    assert,
  }) => {
    const missing = { ...INTERNALS[0], isThere: () => false }
    await assert.rejects(
      () => assertInternals([missing]),
      /^knex \d+\.\d+\.\d+ has no connections that .*app\/database\/acquire_queue_limit\.ts/
    )
  })

  test('a knex whose statements get their connections in another way is refused', async ({
    assert,
    cleanup,
  }) => {
    const { acquireConnection } = clientPrototype()
    replace(cleanup, clientPrototype(), 'query', async function (this: any, _: unknown, sql: any) {
      const connection = await acquireConnection.call(this)
      return Object.getPrototypeOf(clientPrototype()).query.call(this, connection, sql)
    })
    replace(cleanup, clientPrototype(), 'releaseConnection', undefined)
    await assert.rejects(() => assertInternals(), /^knex .* has no connections/)
  })

  test('a knex that begins transactions of SQLite with another text is refused', async ({
    assert,
    cleanup,
  }) => {
    const send = clientPrototype()._query
    replace(
      cleanup,
      clientPrototype(),
      '_query',
      function (this: any, connection: any, query: any) {
        const sql = query.sql === 'BEGIN;' ? 'BEGIN TRANSACTION;' : query.sql
        return send.call(this, connection, { ...query, sql })
      }
    )
    await assert.rejects(() => assertInternals(), /^knex .* has no transactions of SQLite/)
  }).skip(usesPostgres, 'the database in use is PostgreSQL')

  test('a pg that leaves a pipelined connection open after a timeout is refused', async ({
    assert,
    cleanup,
  }) => {
    const { query } = pg.Client.prototype
    replace(cleanup, pg.Client.prototype, 'query', function (this: any, ...args: any[]) {
      this.connectionParameters.query_timeout = 0
      const answer = Reflect.apply(query, this, args)
      return Promise.race([
        answer,
        new Promise((_, reject) => setTimeout(reject, 20, new Error('Query read timeout'))),
      ])
    })
    await assert.rejects(() => assertInternals(), /^pg .* has no the `query_timeout`/)
  }).skip(() => !usesPostgres(), 'the database in use is SQLite')

  test('a Node.js whose sockets do not name their response is refused', async ({
    assert,
    cleanup,
  }) => {
    replace(cleanup, ServerResponse.prototype, 'assignSocket', () => {})
    await assert.rejects(() => assertInternals(), /^node v\d.* has no `_httpMessage`/)
  })

  test('a Lucid that keeps the state of a model in another way is refused', async ({
    assert,
    cleanup,
  }) => {
    const make = BaseModel.$createFromAdapterResult
    replace(cleanup, BaseModel, '$createFromAdapterResult', function (this: any, ...args: any[]) {
      const model = Reflect.apply(make, this, args)
      Object.defineProperty(model, '$state', { value: 'loaded', enumerable: true })
      return model
    })
    await assert.rejects(() => assertInternals(), /^@adonisjs\/lucid .* has no models whose state/)
  })
})
