import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline } from '#app/database/pipeline'
import { inTransaction } from '#app/database/transaction'
import { tokenLookup } from '#app/token_verification/token_lookup'
import { hashToken } from '#app/tokens/token'
import { appendEvents } from '#app/event_log/append'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

const rename = (id: number, name: string) => ({
  sql: 'UPDATE users SET full_name = ? WHERE id = ? RETURNING full_name',
  bindings: [name, id],
})

test.group('Statements of a transaction that go together', (group) => {
  group.each.setup(() => emptyDatabase())

  test('run in their order, and each gives its own rows', async ({ assert }) => {
    const { id } = await makeUser()
    const names = Array.from({ length: 40 }, (_, number) => `name ${number}`)
    const answers = await inTransaction((trx) =>
      pipeline(trx, [
        ...names.map((name) => rename(id, name)),
        { sql: 'SELECT full_name AS last FROM users WHERE id = ?', bindings: [id] },
      ])
    )
    assert.deepEqual(answers, [
      ...names.map((name) => [{ full_name: name }]),
      [{ last: 'name 39' }],
    ])
  })

  test('all fail with the first that does, and the connection is as good as new', async ({
    assert,
  }) => {
    const { id, email } = await makeUser()
    const other = await makeUser()
    for (let round = 0; round < 12; round++) {
      const failing = inTransaction((trx) =>
        pipeline(trx, [
          rename(id, 'before'),
          { sql: 'UPDATE users SET email = ? WHERE id = ?', bindings: [email, other.id] },
          rename(id, 'after'),
          { sql: 'SELECT 1 AS one', bindings: [] },
        ])
      )
      await assert.rejects(() => failing, /unique/i)
    }
    assert.equal(await countRows('users', { full_name: null }), 2)
    const [[found]] = await inTransaction((trx) => pipeline(trx, [rename(id, 'now')]))
    assert.deepEqual(found, { full_name: 'now' })
  })

  test('need a transaction', async ({ assert }) => {
    const { id } = await makeUser()
    const client = db.connection() as unknown as TransactionClientContract
    await assert.rejects(() => pipeline(client, [rename(id, 'now')]), /transaction/)
  })

  test('what a transaction tells is written with it, or not at all', async ({ assert }) => {
    const told = { type: 'user.created', userId: 1, actor: 'system' } as const
    await inTransaction(async (trx) => {
      await appendEvents(trx, [told])
      await appendEvents(trx, [])
      await appendEvents(trx, [told, told])
    })
    assert.equal(await countRows('session_events', { type: 'user.created' }), 3)

    const failing = inTransaction(async (trx) => {
      await appendEvents(trx, [told])
      throw new Error('at the end')
    })
    await assert.rejects(() => failing, 'at the end')
    assert.equal(await countRows('session_events', { type: 'user.created' }), 3)
  })

  test('whatever text is bound, it arrives as it was', async ({ assert }) => {
    const { id } = await makeUser()
    const texts = [
      "'); DELETE FROM users; --",
      "x' || (SELECT password FROM users) || '",
      '? ?1 $1 :a @b "quoted" `so` [or so] \\ \\0 %s ?? \\?',
      'line\nline\r\n\ttab',
      '0123456789abcdef',
      '',
      'Zoë’s 📱 \u202e \u{10ffff}',
    ]
    for (const text of texts) {
      await inTransaction((trx) => pipeline(trx, [rename(id, text)]))
      const { full_name: stored } = await db.from('users').where('id', id).firstOrFail()
      assert.equal(stored, text)
    }
  })

  test('the error of one names no value that it binds', async ({ assert }) => {
    const { email } = await makeUser()
    const other = await makeUser()
    const error = await inTransaction((trx) =>
      pipeline(trx, [
        { sql: 'UPDATE users SET email = ? WHERE id = ?', bindings: [email, other.id] },
      ])
    ).catch((fault) => fault)
    assert.match(error.message, /unique/i)
    assert.notInclude(error.message, email)
  })

  test('a transaction in which one has failed does not commit, though nobody heard of it', async ({
    assert,
  }) => {
    const { id, email } = await makeUser()
    const other = await makeUser()
    const twice = { sql: 'UPDATE users SET email = ? WHERE id = ?', bindings: [email, other.id] }
    const swallowing = inTransaction(async (trx) => {
      await pipeline(trx, [rename(id, 'before')])
      await pipeline(trx, [twice]).catch(() => {})
    })
    await assert.rejects(() => swallowing, /unique/i)
    assert.equal(await countRows('users', { full_name: null }), 2)
  })

  test('a migration that adds columns does not disturb connections that know the statements', async ({
    assert,
    cleanup,
  }) => {
    const tables = ['users', 'sessions', 'api_tokens', 'ended_tokens', 'session_events']
    cleanup(async () => {
      for (const table of tables) await db.rawQuery(`ALTER TABLE ${table} DROP COLUMN later`)
    })
    const user = await makeUser()
    const signInOften = async () => {
      for (let round = 0; round < 12; round++) {
        const { tokens } = await signIn(user)
        const found = await tokenLookup.read(hashToken(tokens.token))
        assert.equal(found?.user.id, user.id)
      }
    }
    await signInOften()
    for (const table of tables) await db.rawQuery(`ALTER TABLE ${table} ADD COLUMN later TEXT`)
    await signInOften()
    assert.equal(await countRows('session_events', { type: 'session.opened' }), 24)
  })
})
