import { test } from '@japa/runner'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { CHANNELS, endSaid } from '#tests/harness/channels'
import { jsonOfCommand } from '#tests/harness/command'
import { call } from '#tests/harness/http'
import {
  ask,
  assertOneEnd,
  HOUR,
  IDLE,
  LATER,
  MINUTE,
  prepare,
  scene,
  SERVER,
  tokenOf,
} from '#tests/harness/reasons'
import { finish, leaveUnfinished } from '#tests/harness/unfinished_watermark'
import { signInAdmin } from '#tests/harness/victims'

test.group('The first reason that was told stays the reason', (group) => {
  group.each.setup(prepare)
  group.each.timeout(60_000)

  for (const [what, follow] of Object.entries(LATER)) {
    test(`idle, and then ${what}`, async ({ assert }) => {
      const one = await scene()
      clock.advance(IDLE)
      assert.equal(await ask(one), endSaid('idle', one.openedAt + IDLE))
      clock.advance(HOUR)
      await follow(one)
      clock.advance(MINUTE)
      await assertOneEnd(assert, one, 'idle', one.openedAt + IDLE)
    })
  }

  for (const channel of Object.keys(CHANNELS).filter((name) => !name.startsWith('introspection'))) {
    test(`idle, first told by ${channel}`, async ({ assert }) => {
      const one = await scene()
      clock.advance(IDLE)
      const told = await CHANNELS[channel](SERVER, one.credentials, one.basic)
      assert.equal(told, endSaid('idle', one.openedAt + IDLE))
      clock.advance(HOUR)
      await leaveUnfinished()
      sessionsConfig.idleTimeout = 100 * IDLE
      await assertOneEnd(assert, one, 'idle', one.openedAt + IDLE)
      await finish()
      await assertOneEnd(assert, one, 'idle', one.openedAt + IDLE)
    })
  }

  test('lists no longer show what was told to have ended', async ({ assert }) => {
    const one = await scene()
    clock.advance(IDLE)
    assert.equal(await ask(one), endSaid('idle', one.openedAt + IDLE))
    sessionsConfig.idleTimeout = 100 * IDLE
    const acting = await tokenOf(one)
    const own = await call(SERVER, 'GET', '/api/v1/sessions', { token: acting })
    const path = `/api/v1/admin/users/${one.user.id}/sessions`
    const byAdmin = await call(SERVER, 'GET', path, { token: await signInAdmin() })
    const { sessions } = await jsonOfCommand(['sessions:list', one.user.email])
    for (const list of [own.body.data, byAdmin.body.data, sessions]) {
      assert.lengthOf(list, 1)
      assert.notEqual(list[0].id, one.session.id)
    }
  })
})
