import { test } from '@japa/runner'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { endSaid, everywhere, openStream, saidEverywhere } from '#tests/harness/channels'
import {
  admin,
  ask,
  assertOneEnd,
  HOUR,
  IDLE,
  LATER,
  MINUTE,
  prepare,
  scene,
  SERVER,
} from '#tests/harness/reasons'
import { finish, leaveUnfinished } from '#tests/harness/unfinished_watermark'

test.group('A force logout that is unfinished', (group) => {
  group.each.setup(prepare)
  group.each.timeout(60_000)

  for (const [what, follow] of Object.entries(LATER)) {
    test(`of everyone stays the reason that it was told as, after ${what}`, async ({ assert }) => {
      const one = await scene()
      clock.advance(HOUR)
      const at = await leaveUnfinished()
      clock.advance(MINUTE)
      assert.equal(await ask(one), endSaid('forced', at))
      await follow(one)
      clock.advance(MINUTE)
      assert.equal(await ask(one), endSaid('forced', at))
      await finish()
      await assertOneEnd(assert, one, 'forced', at)
    })
  }

  for (const whose of ['everyone', 'its user']) {
    for (const reason of ['idle', 'expired']) {
      test(`of ${whose} is not the reason of a session that was ${reason} before it`, async ({
        assert,
      }) => {
        if (reason === 'expired') sessionsConfig.maxLifetime = IDLE
        const one = await scene()
        clock.advance(IDLE + HOUR)
        await leaveUnfinished(whose === 'everyone' ? null : one.user.id)
        clock.advance(MINUTE)
        const endedAt = one.openedAt + IDLE
        const answers = await saidEverywhere(SERVER, one.credentials, one.basic)
        assert.deepEqual(answers, everywhere(reason, endedAt))
        await finish()
        await assertOneEnd(assert, one, reason, endedAt)
      })
    }
  }

  for (const everyone of [true, false]) {
    test(`an open stream of a session that time has ended says what a request is told, after a force logout of ${everyone ? 'everyone' : 'its user'}`, async ({
      assert,
      cleanup,
    }) => {
      const one = await scene()
      const stream = await openStream(SERVER, one.credentials.token)
      cleanup(() => stream.close())
      clock.advance(IDLE + HOUR)
      await admin('POST', 'force-logout', everyone ? { all: true } : { users: [one.user.email] })
      const { event, data } = await stream.next()
      assert.equal(event, 'session.ended')
      assert.equal(await ask(one), endSaid(data.reason, data.endedAt))
      await stream.closed()
      await assertOneEnd(assert, one, data.reason, data.endedAt)
    })
  }
})
