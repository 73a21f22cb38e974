import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { disableUser, enableUser } from '#app/accounts/disabled_users'
import clock from '#app/clock'
import { hashToken, mintToken } from '#app/tokens/token'
import { verifyToken } from '#app/token_verification/verify_token'
import User from '#models/user'
import { backfilledInBackground } from '#app/watermarks/backfill_in_background'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { insertMany } from '#tests/harness/many_sessions'

const KEYS = 1_200

async function makeKey(user: User): Promise<string> {
  const key = mintToken('api_key')
  const now = clock.now()
  await db.table('api_tokens').insert({
    tokenable_id: user.id,
    type: 'api_key',
    name: 'script',
    hash: hashToken(key),
    abilities: '["*"]',
    created_at: now,
    updated_at: now,
  })
  return key
}

test.group('A user with very many sessions and API keys', (group) => {
  group.each.setup(() => emptyDatabase())

  async function scene() {
    await insertMany({ users: 1, sessionsEach: 1, keysEach: KEYS })
    const user = await User.query().where('email', 'like', 'many%').firstOrFail()
    return { user, key: await makeKey(user) }
  }

  test('is cut off before the ends are written, and all ends are written once', async ({
    assert,
  }) => {
    const { user, key } = await scene()
    const stranger = await makeUser()
    const strangersKey = await makeKey(stranger)
    let deadAtCut: unknown
    const checks: Promise<void>[] = []

    const result = await forceLogout(
      { who: [user], includeApiKeys: true, actor: 'repl', note: 'leak' },
      {
        onCut: () => {
          checks.push(
            verifyToken(key, ['api_key']).then((verdict) => {
              deadAtCut = verdict
            })
          )
        },
      }
    )
    await Promise.all(checks)
    assert.containsSubset(deadAtCut as object, { type: 'ended', end: { reason: 'forced' } })
    assert.containsSubset(result, { ended: 1, apiKeysEnded: KEYS + 1, complete: true })
    assert.equal(await countRows('api_tokens', { tokenable_id: user.id }), 0)
    assert.equal(await countRows('session_events', { type: 'api_key.ended' }), KEYS + 1)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 1)
    const alive = await verifyToken(strangersKey, ['api_key'])
    assert.equal(alive.type, 'live')
    const written = await verifyToken(key, ['api_key'])
    assert.containsSubset(written, { type: 'ended', end: { endedAt: result.cut } })
  })

  test('signs in and makes keys afterwards that live', async ({ assert }) => {
    const { user } = await scene()
    await forceLogout({ who: [user], includeApiKeys: true, actor: 'repl' })
    const { tokens } = await signIn(await User.findOrFail(user.id))
    const key = await makeKey(user)
    for (const token of [tokens.token, key]) {
      const verdict = await verifyToken(token, ['access', 'api_key'])
      assert.equal(verdict.type, 'live')
    }
  })

  test('disabled and enabled again before the rows are ended: nothing comes back', async ({
    assert,
  }) => {
    const { user, key } = await scene()
    const disabled = await disableUser(user.id, { actor: 'repl' }, { later: true })
    assert.containsSubset(disabled, { ended: 1, apiKeysEnded: KEYS + 1 })
    await enableUser(user.id, { actor: 'repl' })
    const verdict = await verifyToken(key, ['api_key'])
    assert.containsSubset(verdict, { type: 'ended', end: { reason: 'account_disabled' } })

    await backfilledInBackground()
    assert.equal(await countRows('cutoffs', { finished_at: null }), 0)
    const ended = { type: 'api_key.ended', reason: 'account_disabled' }
    assert.equal(await countRows('session_events', ended), KEYS + 1)
  })

  test('without API keys, the keys live on', async ({ assert }) => {
    const { user, key } = await scene()
    await forceLogout({ who: [user], actor: 'repl' })
    const verdict = await verifyToken(key, ['api_key'])
    assert.equal(verdict.type, 'live')
    await forceLogout({ who: 'everyone', actor: 'repl' })
    const still = await verifyToken(key, ['api_key'])
    assert.equal(still.type, 'live')
  })

  test('a session that had gone idle before the cut ends as idle', async ({ assert }) => {
    const user = await makeUser()
    const { session } = await signIn(user)
    await db
      .from('sessions')
      .where('id', session.id)
      .update({ last_seen_at: new Date(clock.millis() - 365 * 24 * 60 * 60 * 1000) })
    const result = await forceLogout({ who: 'everyone', actor: 'repl' })
    assert.equal(result.ended, 0)
    assert.equal(await countRows('sessions', { id: session.id, end_reason: 'idle' }), 1)
  })
})
