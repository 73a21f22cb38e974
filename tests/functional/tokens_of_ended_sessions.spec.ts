import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import sessionsConfig from '#config/sessions'
import { makeUser } from '#tests/harness/accounts'
import { endSaid, everywhere, saidEverywhere } from '#tests/harness/channels'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { keepPolicy } from '#tests/harness/policy'
import { makeClient } from '#tests/harness/service_clients'
import { sessionRow } from '#tests/harness/session_rows'
import { signInAdmin } from '#tests/harness/victims'

const SERVER = `http://${process.env.HOST}:${process.env.PORT}`

type Opened = { user: { id: number; email: string }; id: string; token: string }

const ENDINGS: Record<string, (opened: Opened) => Promise<unknown>> = {
  logged_out: ({ token }) => call(SERVER, 'POST', '/api/v1/auth/logout', { token }),
  superseded: ({ user }) =>
    logIn(SERVER, user.email, { device: { name: 'Newcomer', platform: 'android' } }),
  forced: async ({ id }) =>
    call(SERVER, 'DELETE', `/api/v1/admin/sessions/${id}`, { token: await signInAdmin() }),
}

test.group('A token that is left of a session whose end is written', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 1
    return restore
  })

  async function open() {
    const user = await makeUser()
    const { body } = await logIn(SERVER, user.email, { device: { id: 'phone' } })
    const { token, refreshToken, session } = body.data
    const { basic } = await makeClient()
    return { user, id: session.id as string, token, refreshToken, basic }
  }

  /**
   * Puts back what the end of the session took, as a restored or half-written table might.
   */
  async function putBack(tokens: Record<string, unknown>[], explained: boolean) {
    if (!explained) await db.from('ended_tokens').delete()
    for (const row of tokens) await db.table('api_tokens').insert(row)
  }

  for (const [reason, end] of Object.entries(ENDINGS)) {
    for (const explained of [true, false]) {
      test(`is refused as ${reason} everywhere, ${explained ? 'with' : 'without'} its explanation`, async ({
        assert,
      }) => {
        const opened = await open()
        const rows = await db.from('api_tokens').where('session_id', opened.id)
        assert.lengthOf(rows, 2)
        await end(opened)
        await putBack(rows, explained)

        const { endedAt } = await sessionRow(opened.id)
        const told = await saidEverywhere(SERVER, opened, opened.basic)
        assert.deepEqual(told, everywhere(reason, endedAt!))
        assert.equal(await countRows('session_events', { type: 'session.ended', reason }), 1)
      })
    }
  }

  test('names the device that took over', async ({ assert }) => {
    const opened = await open()
    const rows = await db.from('api_tokens').where('session_id', opened.id)
    await ENDINGS.superseded(opened)
    await putBack(rows, false)
    const { status, body } = await call(SERVER, 'GET', '/api/v1/account', { token: opened.token })
    assert.equal(status, 401)
    const [error] = body.errors
    assert.equal(error.reason, 'superseded')
    assert.deepEqual(error.by, { name: 'Newcomer', platform: 'android' })
  })

  test('is refused where a row alone says that the session has ended', async ({ assert }) => {
    const opened = await open()
    const endedAt = new Date(Date.now() - 60_000)
    await db
      .from('sessions')
      .where('id', opened.id)
      .update({ ended_at: endedAt, end_reason: 'forced', ended_by: 'system' })
    const told = await saidEverywhere(SERVER, opened, opened.basic)
    assert.deepEqual(told, everywhere('forced', endedAt))
  })

  test('does nothing on behalf of its user', async ({ assert }) => {
    const opened = await open()
    const rows = await db.from('api_tokens').where('session_id', opened.id)
    await ENDINGS.forced(opened)
    await putBack(rows, true)
    const { endedAt } = await sessionRow(opened.id)
    const { token } = opened
    for (const [method, path, body] of [
      ['GET', '/sessions', undefined],
      ['GET', '/account/events', undefined],
      ['POST', '/auth/logout-others', undefined],
      ['POST', '/auth/logout-all', undefined],
      ['POST', '/api-keys', { name: 'script' }],
      ['PATCH', `/sessions/${opened.id}`, { name: 'Mine' }],
      ['DELETE', '/account', { currentPassword: 'whatever it is' }],
    ] as const) {
      const answer = await call(SERVER, method, `/api/v1${path}`, { token, body })
      const { code, reason, endedAt: at } = answer.body?.errors?.[0] ?? {}
      const said = `${answer.status} ${code} ${reason} ${at}`
      assert.equal(said, endSaid('forced', endedAt!), `${method} ${path}`)
    }
    assert.equal(await countRows('users', { id: opened.user.id }), 1)
  })
})
