import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import sessionsConfig, { type OnLimit } from '#config/sessions'
import { E_SESSION_LIMIT_REACHED } from '#exceptions/errors'
import { liveSessionsOf } from '#app/sessions/list'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

/**
 * The devices that sign in, one after another, a second apart.
 */
const DEVICES = [
  { name: 'A', platform: 'ios' },
  { name: 'B', platform: 'android' },
  { name: 'C', platform: 'ios' },
  { name: 'D', platform: 'web' },
  { name: 'E', platform: 'ios' },
]

const EACH = { ios: 1, android: 1, web: 2 }

/**
 * Limit, platform rules, strategy, what becomes of each of `limit + 2` sign-ins (five without a
 * limit), and who is signed in at the end, newest activity first. `+`: opened, ended nobody;
 * `+-AB`: opened, ended A and B; `409 2/2 AB`: refused with that quota and those to choose from.
 */
const TABLE: [number, Record<string, number>, OnLimit, string, string][] = [
  [1, {}, 'evict', '+, +-A, +-B', 'C'],
  [2, {}, 'evict', '+, +, +-A, +-B', 'DC'],
  [3, {}, 'evict', '+, +, +, +-A, +-B', 'EDC'],
  [0, {}, 'evict', '+, +, +, +, +', 'EDCBA'],

  [1, { ios: 1 }, 'evict', '+, +-A, +-B', 'C'],
  [2, { ios: 1 }, 'evict', '+, +, +-A, +-B', 'DC'],
  [3, { ios: 1 }, 'evict', '+, +, +-A, +, +-C', 'EDB'],
  [0, { ios: 1 }, 'evict', '+, +, +-A, +, +-C', 'EDB'],

  [1, { ios: 2 }, 'evict', '+, +-A, +-B', 'C'],
  [2, { ios: 2 }, 'evict', '+, +, +-A, +-B', 'DC'],
  [3, { ios: 2 }, 'evict', '+, +, +, +-A, +-B', 'EDC'],
  [0, { ios: 2 }, 'evict', '+, +, +, +, +-A', 'EDCB'],

  [1, EACH, 'evict', '+, +-A, +-B', 'C'],
  [2, EACH, 'evict', '+, +, +-A, +-B', 'DC'],
  [3, EACH, 'evict', '+, +, +-A, +, +-C', 'EDB'],
  [0, EACH, 'evict', '+, +, +-A, +, +-C', 'EDB'],

  [1, {}, 'reject', '+, 409 1/1 A, 409 1/1 A', 'A'],
  [2, {}, 'reject', '+, +, 409 2/2 BA, 409 2/2 BA', 'BA'],
  [3, {}, 'reject', '+, +, +, 409 3/3 CBA, 409 3/3 CBA', 'CBA'],
  [0, {}, 'reject', '+, +, +, +, +', 'EDCBA'],

  [1, { ios: 1 }, 'reject', '+, 409 1/1 A, 409 1/1 A', 'A'],
  [2, { ios: 1 }, 'reject', '+, +, 409 1/1 A, 409 2/2 BA', 'BA'],
  [3, { ios: 1 }, 'reject', '+, +, 409 1/1 A, +, 409 1/1 A', 'DBA'],
  [0, { ios: 1 }, 'reject', '+, +, 409 1/1 A, +, 409 1/1 A', 'DBA'],

  [1, { ios: 2 }, 'reject', '+, 409 1/1 A, 409 1/1 A', 'A'],
  [2, { ios: 2 }, 'reject', '+, +, 409 2/2 BA, 409 2/2 BA', 'BA'],
  [3, { ios: 2 }, 'reject', '+, +, +, 409 3/3 CBA, 409 2/2 CA', 'CBA'],
  [0, { ios: 2 }, 'reject', '+, +, +, +, 409 2/2 CA', 'DCBA'],

  [1, EACH, 'reject', '+, 409 1/1 A, 409 1/1 A', 'A'],
  [2, EACH, 'reject', '+, +, 409 1/1 A, 409 2/2 BA', 'BA'],
  [3, EACH, 'reject', '+, +, 409 1/1 A, +, 409 1/1 A', 'DBA'],
  [0, EACH, 'reject', '+, +, 409 1/1 A, +, 409 1/1 A', 'DBA'],
]

test.group('Session policy', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    return () => {
      restore()
      clock.restore()
    }
  })

  for (const [limit, platforms, onLimit, expected, left] of TABLE) {
    const rules = Object.entries(platforms).map(([platform, max]) => `${platform}=${max}`)
    const title = `limit ${limit || 'none'}, ${rules.join(',') || 'no platform rule'}, ${onLimit}`

    test(title, async ({ assert }) => {
      Object.assign(sessionsConfig, { limit, limitPerPlatform: platforms, onLimit })
      const answers = expected.split(', ')
      assert.lengthOf(answers, limit === 0 ? 5 : limit + 2)
      const user = await makeUser()

      const given: string[] = []
      for (const device of DEVICES.slice(0, answers.length)) {
        given.push(await answerTo(signIn(user, device)))
        clock.advance(1000)
      }

      assert.deepEqual(given, answers)
      const live = await liveSessionsOf(db.connection(), user)
      assert.equal(live.map((session) => session.device.name).join(''), left)
    })
  }
})

async function answerTo(signedIn: ReturnType<typeof signIn>): Promise<string> {
  try {
    const { endedSessions } = await signedIn
    if (endedSessions.length === 0) return '+'
    for (const { reason } of endedSessions) if (reason !== 'superseded') return reason
    return `+-${endedSessions.map((ended) => ended.session.device.name).join('')}`
  } catch (error) {
    if (!(error instanceof E_SESSION_LIMIT_REACHED)) throw error
    const { quota, sessions } = error.toBody() as any
    const names = sessions.map((session: any) => session.device.name).join('')
    return `${error.status} ${quota.used}/${quota.max} ${names}`
  }
}
