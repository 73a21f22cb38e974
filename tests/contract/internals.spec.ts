import { ServerResponse } from 'node:http'
import { Server, type Socket } from 'node:net'
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
    const prototype = clientPrototype()
    const before = Object.getPrototypeOf(prototype).acquireConnection
    Object.defineProperty(prototype, 'acquireConnection', {
      configurable: true,
      get: () => before,
      set() {},
    })
    cleanup(() => void delete prototype.acquireConnection)
    await assert.rejects(() => assertInternals(), /^knex .* has no connections/)
  })

  test('a knex without releaseConnection is refused', async ({ assert, cleanup }) => {
    replace(cleanup, clientPrototype(), 'releaseConnection', undefined)
    await assert.rejects(() => assertInternals(), /^knex .* has no connections/)
  })

  test('a pool that does not count who waits is refused', async ({ assert, cleanup }) => {
    const { pool } = db.connection().getWriteClient().client
    replace(cleanup, Object.getPrototypeOf(pool), 'numPendingAcquires', undefined)
    await assert.rejects(() => assertInternals(), /^knex .* has no connections/)
  })

  for (const [sql, other] of [
    ['BEGIN;', 'BEGIN TRANSACTION;'],
    ['COMMIT;', 'COMMIT TRANSACTION;'],
  ]) {
    test('a knex that sends transactions of SQLite another text is refused: {$self}')
      .with([other])
      .run(async ({ assert, cleanup }) => {
        const send = clientPrototype()._query
        replace(
          cleanup,
          clientPrototype(),
          '_query',
          function (this: any, connection: any, query: any) {
            return send.call(this, connection, query.sql === sql ? { ...query, sql: other } : query)
          }
        )
        await assert.rejects(() => assertInternals(), /^knex .* has no transactions of SQLite/)
      })
      .skip(usesPostgres, 'the database in use is PostgreSQL')
  }

  test('a knex that closes connections of SQLite in another way is refused', async ({
    assert,
    cleanup,
  }) => {
    replace(cleanup, clientPrototype(), 'destroyRawConnection', async () => {})
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

  test('a Node.js whose sockets do not tell their queue is refused', async ({
    assert,
    cleanup,
  }) => {
    const { on } = Server.prototype
    replace(cleanup, Server.prototype, 'on', function (this: Server, name: string, listener: any) {
      if (name !== 'connection') return Reflect.apply(on, this, [name, listener])
      return Reflect.apply(on, this, [
        name,
        (socket: Socket) =>
          listener(
            new Proxy(socket, {
              get(target, property) {
                if (property === '_handle') return {}
                const value = Reflect.get(target, property)
                return typeof value === 'function' ? value.bind(target) : value
              },
            })
          ),
      ])
    })
    await assert.rejects(() => assertInternals(), /^node v\d.* has no `_handle.writeQueueSize`/)
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
