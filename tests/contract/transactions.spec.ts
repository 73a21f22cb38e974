import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { afterCommit, inTransaction } from '#app/database/transaction'
import { isOutage } from '#exceptions/outage'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

/**
 * Writes what is refused by the COMMIT alone: a reference to nothing, looked at only then.
 */
async function writeWhatCommitRefuses(trx: TransactionClientContract) {
  if (trx.dialect.name === 'postgres') {
    await trx.rawQuery(`CREATE TEMPORARY TABLE refused (
      id int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP`)
    await trx.rawQuery('INSERT INTO refused VALUES (1), (1)')
  } else {
    await trx.rawQuery('PRAGMA defer_foreign_keys = ON')
    await trx.table('api_tokens').insert({
      ...{ tokenable_id: 999, type: 'access', hash: 'x', abilities: '[]' },
      ...{ created_at: new Date(), updated_at: new Date() },
    })
  }
}

test.group('A transaction', (group) => {
  group.each.setup(() => emptyDatabase())

  test('gives what its work gives, committed', async ({ assert }) => {
    const user = await makeUser()
    const given = await inTransaction(async (trx) => {
      await trx.from('users').where('id', user.id).update({ full_name: 'Ada' })
      return 'done'
    })
    assert.equal(given, 'done')
    assert.equal(await countRows('users', { full_name: 'Ada' }), 1)
  })

  test('whose work throws has changed nothing', async ({ assert }) => {
    const user = await makeUser()
    const failing = inTransaction(async (trx) => {
      await trx.from('users').where('id', user.id).update({ full_name: 'Ada' })
      throw new Error('of the work')
    })
    await assert.rejects(() => failing, 'of the work')
    assert.equal(await countRows('users', { full_name: 'Ada' }), 0)
  })

  test('whose COMMIT fails throws, has changed nothing and leaves a clean connection', async ({
    assert,
  }) => {
    const user = await makeUser()
    let hinted = false
    const failing = inTransaction(async (trx) => {
      afterCommit(trx, () => {
        hinted = true
      })
      await trx.from('users').where('id', user.id).update({ full_name: 'Ada' })
      await writeWhatCommitRefuses(trx)
    })
    await assert.rejects(() => failing, /constraint/i)
    assert.isFalse(hinted)
    assert.equal(await countRows('users', { full_name: 'Ada' }), 0)
    await inTransaction((trx) =>
      trx.from('users').where('id', user.id).update({ full_name: 'Grace' })
    )
    assert.equal(await countRows('users', { full_name: 'Grace' }), 1)
  })

  test('whose connection is cut throws an outage', async ({ assert }) => {
    const cut = inTransaction(async (trx) => {
      await trx.rawQuery('SELECT pg_terminate_backend(pg_backend_pid())')
    })
    const error = await cut.then(
      () => null,
      (fault) => fault
    )
    assert.isTrue(isOutage(error), String(error))
    await inTransaction(async (trx) => trx.rawQuery('SELECT 1'))
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'is about PostgreSQL')

  test('whose BEGIN fails throws why', async ({ assert }) => {
    const knex = db.connection().getWriteClient().client
    const begins = knex.acquireConnection
    knex.acquireConnection = async () => {
      const connection = await begins.call(knex)
      await new Promise((resolve) => connection.end(resolve))
      return connection
    }
    const failing = inTransaction(async (trx) => trx.rawQuery('SELECT 1'))
    const error = await failing.then(
      () => null,
      (fault) => fault
    )
    knex.acquireConnection = begins
    assert.isTrue(isOutage(error), String(error))
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'is about PostgreSQL')

  test('of a database that lacks a migration throws an outage', async ({ assert }) => {
    for (const statement of ['SELECT 1 FROM missing_table', 'SELECT missing_column FROM users']) {
      const failing = inTransaction(async (trx) => trx.rawQuery(statement))
      const error = await failing.then(
        () => null,
        (fault) => fault
      )
      assert.isTrue(isOutage(error), String(error))
    }
  })
})
