import { test } from '@japa/runner'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { contestedAt, POPULATIONS, randomOf } from '../../bin/scripts/contest_simulation.js'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

test.group('Simulation of contested accounts', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 1
    return () => {
      restore()
      clock.restore()
    }
  })

  test('its rule is that of the application: {title}')
    .with(POPULATIONS)
    .run(async ({ assert }, { week }) => {
      const rule = { count: 4, windowMs: 10 * 60_000 }
      sessionsConfig.contest = rule
      const signIns = week(randomOf(7)).slice(0, 60)
      const expected = contestedAt(signIns, rule)
      const user = await makeUser()
      const start = clock.millis()
      let found: number | undefined
      for (const { at, device } of signIns) {
        clock.freeze(new Date(start + Math.ceil(at)))
        await signIn(user, { id: device })
        if (
          found === undefined &&
          (await countRows('session_events', { type: 'account.contested' }))
        ) {
          found = at
        }
      }
      assert.equal(found, expected)
    })
})
