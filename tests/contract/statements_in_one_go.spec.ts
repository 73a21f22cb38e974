import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { pipeline } from '#app/database/pipeline'
import { inTransaction, lastly } from '#app/database/transaction'
import { tokenLookup } from '#app/token_verification/token_lookup'
import { hashToken } from '#app/tokens/token'
import { appendEvents } from '#app/event_log/append'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

const rename = (id: number, name: string) => ({
  sql: 'UPDATE users SET full_name = ? WHERE id = ? RETURNING full_name',
  bindings: [name, id],
})

const append = (id: number, text: string) => ({
  sql: 'UPDATE users SET full_name = full_name || ? WHERE id = ?',
  bindings: [text, id],
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

  test('what a transaction tells is written at its end, or not at all', async ({ assert }) => {
    const told = { type: 'user.created', userId: 1, actor: 'system' } as const
    await inTransaction(async (trx) => {
      appendEvents(trx, [told])
      appendEvents(trx, [])
      appendEvents(trx, [told, told])
    })
    assert.equal(await countRows('session_events', { type: 'user.created' }), 3)

    const failing = inTransaction(async (trx) => {
      appendEvents(trx, [told])
      lastly(trx, () => {
        throw new Error('at the end')
      })
    })
    await assert.rejects(() => failing, 'at the end')
    assert.equal(await countRows('session_events', { type: 'user.created' }), 3)

    const stranger = await db.transaction()
    assert.throws(() => appendEvents(stranger, [told]), /not begun by inTransaction/)
    await stranger.rollback()
  })

  test('what is sent with the COMMIT runs in its order, after all else', async ({ assert }) => {
    const { id } = await makeUser()
    await inTransaction(async (trx) => {
      lastly(trx, () => [rename(id, 'third'), append(id, '!')])
      await pipeline(trx, [rename(id, 'first')])
      lastly(trx, () => [append(id, '?')])
      await pipeline(trx, [append(id, ' second')])
    })
    assert.equal(await countRows('users', { full_name: 'third!?' }), 1)
  })

  test('however much is sent with the COMMIT, all of it arrives', async ({ assert }) => {
    const told = (userId: number) => ({ type: 'user.created', userId, actor: 'system' }) as const
    await inTransaction(async (trx) => {
      appendEvents(
        trx,
        Array.from({ length: 12_345 }, (_, number) => told(number))
      )
    })
    assert.equal(await countRows('session_events'), 12_345)
  })

  test('nothing has changed when one that is sent with the COMMIT fails', async ({ assert }) => {
    const { id, email } = await makeUser()
    const other = await makeUser()
    for (let round = 0; round < 12; round++) {
      let told = false
      const failing = inTransaction(async (trx) => {
        trx.after('commit', () => {
          told = true
        })
        await pipeline(trx, [rename(id, 'before')])
        lastly(trx, () => [
          { sql: 'UPDATE users SET email = ? WHERE id = ?', bindings: [email, other.id] },
          rename(id, 'beside it'),
        ])
      })
      await assert.rejects(() => failing, /unique/i)
      assert.isFalse(told)
      assert.equal(await countRows('users', { full_name: null }), 2)
    }
    await inTransaction((trx) => pipeline(trx, [rename(id, 'now')]))
    assert.equal(await countRows('users', { full_name: 'now' }), 1)
  })

  test('whatever text stands in what is sent with the COMMIT, it arrives as it was', async ({
    assert,
  }) => {
    const { id } = await makeUser()
    const texts = [
      "'); DELETE FROM users; --",
      "x' || (SELECT password FROM users) || '",
      '? ?1 $1 :a @b "quoted" `so` [or so] \\ \\0 %s',
      'line\nline\r\n\ttab',
      '0123456789abcdef',
      '',
      'Zoë’s 📱 \u202e \u{10ffff}',
    ]
    for (const text of texts) {
      await inTransaction(async (trx) => lastly(trx, () => [rename(id, text)]))
      const { full_name: stored } = await db.from('users').where('id', id).firstOrFail()
      assert.equal(stored, text)
    }
  })

  test('a transaction that PostgreSQL has undone does not commit, SQLite undoes the statement', async ({
    assert,
  }) => {
    const { id, email } = await makeUser()
    const other = await makeUser()
    const swallowing = inTransaction(async (trx) => {
      const twice = { sql: 'UPDATE users SET email = ? WHERE id = ?', bindings: [email, other.id] }
      await pipeline(trx, [rename(id, 'before')])
      await pipeline(trx, [twice]).catch(() => {})
    })
    if (process.env.DB_CONNECTION === 'postgres') {
      await assert.rejects(() => swallowing, /undone/)
      assert.equal(await countRows('users', { full_name: null }), 2)
    } else {
      await swallowing
      assert.equal(await countRows('users', { full_name: 'before' }), 1)
      assert.equal(await countRows('users', { email: other.email }), 1)
    }
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
