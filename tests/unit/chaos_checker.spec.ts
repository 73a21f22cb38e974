import { test } from '@japa/runner'
import { check } from '../chaos/checker.js'
import { RETRY_WINDOW } from '../chaos/rules/spent_tokens.js'
import type { Call, Conditions } from '../chaos/history.js'

/**
 * A call of one user that lasts one unit of time.
 */
function at(start: number, call: Partial<Call> & Pick<Call, 'op'>): Call {
  return { user: 'ada', start, end: start + 1, status: 200, ...call }
}
const login = (start: number, session: string, more: Partial<Call> = {}) =>
  at(start, {
    op: 'login',
    opened: { session, access: `a-${session}`, refresh: `r-${session}` },
    ...more,
  })
const checked = (start: number, session: string, more: Partial<Call> = {}) =>
  at(start, { op: 'check', session, token: `a-${session}`, ...more })
const refreshed = (start: number, token: string, brought: string, more: Partial<Call> = {}) =>
  at(start, {
    op: 'refresh',
    session: 'one',
    token: `r-${token}`,
    opened: { session: 'one', access: `a-${brought}`, refresh: `r-${brought}` },
    ...more,
  })
const refused = { status: 401, code: 'E_SESSION_ENDED', reason: 'superseded' }
const unanswered = { end: null, status: null }

const LIVES: Conditions = { limit: 9, lifetimes: { idle: 20, max: 100, tolerance: 2 } }
const over = (reason: string, endedAt?: number): Partial<Call> => ({
  ...refused,
  reason,
  ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
})

const ended = (reason: string, moment: number) => ({
  reason,
  endedAt: new Date(moment).toISOString(),
})

const promises = (history: Call[], limit = 1) => check(history, { limit }).map((one) => one.promise)

/**
 * Histories that break a promise, and which.
 */
const BROKEN: [title: string, history: Call[], promises: string[]][] = [
  [
    'an evicted session that still speaks',
    [login(0, 'one'), login(4, 'two', { ended: ['one'] }), checked(6, 'one')],
    ['P1'],
  ],
  [
    'a session that the limit alone must have ended',
    [login(0, 'one'), login(4, 'two', { ended: [] }), checked(6, 'one')],
    ['P1'],
  ],
  [
    'a session that speaks after everyone was forced out',
    [login(0, 'one'), at(2, { op: 'force-everyone', user: '*' }), checked(4, 'one')],
    ['P1'],
  ],
  [
    'an introspection that calls an ended token active',
    [
      login(0, 'one'),
      at(2, { op: 'logout', session: 'one', status: 204 }),
      at(4, { op: 'introspect', session: 'one', token: 'a-one', active: true }),
    ],
    ['P1'],
  ],
  [
    'a list that shows an ended session',
    [
      login(0, 'one'),
      at(2, { op: 'logout', session: 'one', status: 204 }),
      login(4, 'two'),
      at(6, { op: 'list', session: 'two', token: 'a-two', listed: ['one'] }),
    ],
    ['P1', 'P2'],
  ],
  [
    'a sign-in to a disabled account',
    [at(0, { op: 'disable' }), login(2, 'one'), at(4, { op: 'enable' })],
    ['P1'],
  ],
  [
    'a refresh after a force logout',
    [login(0, 'one'), at(2, { op: 'force-logout' }), refreshed(4, 'one', 'two')],
    ['P3'],
  ],
  [
    'an access token that outlives its rotation',
    [login(0, 'one'), refreshed(2, 'one', 'two'), checked(4, 'one')],
    ['P3'],
  ],
  [
    'a refresh token with two successors',
    [login(0, 'one'), refreshed(2, 'one', 'two'), refreshed(4, 'one', 'three')],
    ['P3'],
  ],
  [
    'a refresh token that works a window after its successor was used',
    [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      refreshed(4, 'two', 'three'),
      refreshed(6 + RETRY_WINDOW, 'one', 'two'),
    ],
    ['P3'],
  ],
  ['a fault of the service', [at(0, { op: 'login', status: 500 })], ['P4']],
  [
    'a 503 that does not say when to try again',
    [at(0, { op: 'login', status: 503, code: 'E_UNAVAILABLE', withoutRetryAfter: true })],
    ['P4'],
  ],
  [
    'a token that was valid and is called unknown',
    [login(0, 'one'), checked(2, 'one', { status: 401, code: 'E_UNAUTHORIZED_ACCESS' })],
    ['P4'],
  ],
  [
    'a token that is called expired though nothing replaced it',
    [login(0, 'one'), checked(2, 'one', { status: 401, code: 'E_TOKEN_EXPIRED' })],
    ['P4'],
  ],
  [
    'a refresh token that is refused though nothing replaced it',
    [
      login(0, 'one'),
      at(2, {
        ...{ op: 'refresh', session: 'one', token: 'r-one' },
        ...{ status: 400, code: 'E_INVALID_REFRESH_TOKEN' },
      }),
    ],
    ['P4'],
  ],
  [
    'a right password that is refused',
    [at(0, { op: 'login', status: 400, code: 'E_INVALID_CREDENTIALS' })],
    ['P4'],
  ],
  [
    'an account that stays disabled',
    [
      at(0, { op: 'disable' }),
      at(2, { op: 'enable' }),
      at(4, { op: 'login', status: 403, code: 'E_ACCOUNT_DISABLED' }),
    ],
    ['P4'],
  ],
  ['an end that nobody brought about', [login(0, 'one'), checked(2, 'one', refused)], ['P5']],
  [
    'an end for a reason that does not fit',
    [
      login(0, 'one'),
      at(2, { op: 'logout', session: 'one', ...unanswered }),
      checked(4, 'one', { ...refused, reason: 'forced' }),
    ],
    ['P5'],
  ],
  [
    'an end for two reasons',
    [
      login(0, 'one'),
      login(2, 'two', unanswered),
      at(2, { op: 'logout', session: 'one', ...unanswered }),
      checked(4, 'one', refused),
      checked(6, 'one', { ...refused, reason: 'logged_out' }),
    ],
    ['P5'],
  ],
  [
    'a session that comes back to life',
    [
      login(0, 'one'),
      at(2, { op: 'logout', session: 'one', ...unanswered }),
      checked(4, 'one', { ...refused, reason: 'logged_out' }),
      checked(6, 'one'),
    ],
    ['P6'],
  ],
  [
    'a list longer than the limit',
    [login(0, 'one'), at(2, { op: 'list', session: 'one', listed: ['one', 'two'] })],
    ['P2'],
  ],
  [
    'a session that two sign-ins ended',
    [
      login(0, 'one'),
      login(4, 'two', { ended: ['one'] }),
      login(4.5, 'three', { ended: ['one', 'two'] }),
    ],
    ['P2'],
  ],
  [
    'sign-ins that ended each other, so that nobody is left',
    [login(0, 'one', { ended: ['two'] }), login(0.5, 'two', { ended: ['one'] })],
    ['P2', 'P2'],
  ],
]

/**
 * Histories under short lifetimes that break a promise, which, and how it is said: idle after 20,
 * over after 100, with a tolerance of 2.
 */
const BROKEN_LIVES: [
  title: string,
  history: Call[],
  promise: string,
  says: RegExp,
  strikes?: Conditions['strikes'],
][] = [
  [
    'a session that was used late in its idle time and outlives a force logout',
    [login(0, 'one'), checked(18, 'one'), at(21, { op: 'force-logout' }), checked(23, 'one')],
    'P1',
    /the ended session one was alive in "check"/,
  ],
  [
    'one that outlives the end of its session alone',
    [
      login(0, 'one'),
      checked(18, 'one'),
      at(21, { op: 'force-session', target: 'one' }),
      checked(23, 'one'),
    ],
    'P1',
    /the ended session one was alive in "check"/,
  ],
  [
    'one that outlives the end of all on its platform',
    [
      login(0, 'one', { platform: 'ios' }),
      checked(18, 'one'),
      at(21, { op: 'force-platform', user: '*', platform: 'ios' }),
      checked(23, 'one'),
    ],
    'P1',
    /the ended session one was alive in "check"/,
  ],
  [
    'one that outlives a disabled account',
    [
      login(0, 'one'),
      checked(18, 'one'),
      at(21, { op: 'disable' }),
      at(22.5, { op: 'enable' }),
      checked(25, 'one'),
    ],
    'P1',
    /the ended session one was alive in "check"/,
  ],
  [
    'an idle session that another server revives',
    [login(0, 'one'), checked(21, 'one', over('idle')), checked(22.5, 'one')],
    'P6',
    /the ended session one was alive in "check"/,
  ],
  [
    'a session that is alive though the log tells its end',
    [
      login(0, 'one'),
      at(21, { op: 'feed', user: '*', told: [{ session: 'one', reason: 'idle' }] }),
      checked(22.5, 'one'),
    ],
    'P6',
    /the ended session one was alive in "check"/,
  ],
  [
    'a session that is alive though an introspection called it inactive',
    [
      login(0, 'one'),
      at(21, { op: 'introspect', session: 'one', token: 'a-one', active: false }),
      checked(22.5, 'one'),
    ],
    'P6',
    /the ended session one was alive in "check"/,
  ],
  [
    'a reason that the log tells otherwise',
    [
      login(0, 'one'),
      checked(23, 'one', over('idle')),
      at(25, { op: 'force-logout' }),
      at(27, { op: 'feed', user: '*', told: [{ session: 'one', reason: 'forced' }] }),
    ],
    'P5',
    /the session one ended for two reasons/,
  ],
  [
    'a time of the end that another channel tells otherwise',
    [login(0, 'one'), checked(23, 'one', over('idle', 20)), checked(25, 'one', over('idle', 21))],
    'P5',
    /the session one ended at two times/,
  ],
  [
    'an idle session that was used late in its idle time',
    [login(0, 'one'), checked(15, 'one'), checked(25, 'one', over('idle'))],
    'P5',
    /ended \(idle\) 0.01 s after its last use/,
  ],
  [
    'the same where the server died that saw the use: it was written before',
    [login(0, 'one'), checked(15, 'one', { server: 1 }), checked(25, 'one', over('idle'))],
    'P5',
    /ended \(idle\) 0.01 s after its last use/,
    [{ start: 17, end: 20, server: 1 }],
  ],
  [
    'an idle session that was used early in its idle time, and no server died',
    [login(0, 'one'), checked(8, 'one'), checked(22, 'one', over('idle'))],
    'P5',
    /ended \(idle\) 0.01 s after its last use/,
  ],
  [
    'an idle session that was used early in its idle time, and another server died',
    [login(0, 'one'), checked(8, 'one', { server: 1 }), checked(22, 'one', over('idle'))],
    'P5',
    /ended \(idle\) 0.01 s after its last use/,
    [{ start: 9, end: 12, server: 0 }],
  ],
  [
    'an idle session that was refreshed',
    [
      login(0, 'one'),
      refreshed(8, 'one', 'two', { server: 1 }),
      checked(24, 'two', { session: 'one', ...over('idle') }),
    ],
    'P5',
    /ended \(idle\) 0.02 s after its last use/,
    [{ start: 9, end: 12, server: 1 }],
  ],
  [
    'an end that lies before the use, told late',
    [login(0, 'one'), checked(15, 'one'), checked(60, 'one', over('idle', 20))],
    'P5',
    /ended \(idle\) 0.01 s after its last use/,
  ],
  [
    'a session called idle that a force logout had ended',
    [
      login(0, 'one'),
      checked(18, 'one'),
      at(21, { op: 'force-logout' }),
      checked(50, 'one', over('idle')),
    ],
    'P5',
    /ended \(idle\) though "force-logout" had ended it/,
  ],
  [
    'a session called forced that time had ended',
    [login(0, 'one'), at(30, { op: 'force-logout' }), checked(40, 'one', over('forced'))],
    'P5',
    /ended \(forced\) though time had ended it before/,
  ],
  [
    'a session that is accepted when it is idle',
    [login(0, 'one'), checked(10, 'one'), checked(34, 'one')],
    'P1',
    /alive in "check" 0.02 s after its last use/,
  ],
  [
    'a session that introspection alone keeps alive',
    [
      login(0, 'one'),
      at(10, { op: 'introspect', session: 'one', token: 'a-one', active: true }),
      checked(24, 'one'),
    ],
    'P1',
    /alive in "check" 0.02 s after its last use/,
  ],
  [
    'a session that is older than the absolute lifetime',
    [login(0, 'one'), ...[15, 30, 45, 60, 75, 90, 104].map((start) => checked(start, 'one'))],
    'P1',
    /alive in "check" at the age of 0.10 s/,
  ],
  [
    'a session that is called expired too early',
    [login(0, 'one'), checked(10, 'one', over('expired'))],
    'P5',
    /ended \(expired\) 0.01 s after its opening/,
  ],
]

/**
 * Histories under short lifetimes without fault.
 */
const SOUND_LIVES: [title: string, history: Call[], strikes?: Conditions['strikes']][] = [
  [
    'a use late in the idle time that a force logout ends in time',
    [
      login(0, 'one'),
      checked(18, 'one'),
      at(21, { op: 'force-logout' }),
      checked(23, 'one', over('forced', 21)),
      at(25, { op: 'feed', user: '*', told: [{ session: 'one', ...ended('forced', 21) }] }),
    ],
  ],
  [
    'a session that is idle, for ever and in every channel, whatever comes later',
    [
      login(0, 'one'),
      checked(15, 'one'),
      checked(36, 'one', over('idle', 35)),
      at(38, { op: 'force-logout' }),
      at(40, { op: 'introspect', session: 'one', token: 'a-one', active: false }),
      checked(42, 'one', over('idle', 35)),
      at(44, { op: 'feed', user: '*', told: [{ session: 'one', ...ended('idle', 35) }] }),
    ],
  ],
  [
    'an idle session that nobody had told of when a force logout came',
    [login(0, 'one'), at(30, { op: 'force-logout' }), checked(40, 'one', over('idle', 20))],
  ],
  [
    'a force logout that the clocks allow to come before or after the idle end',
    [login(0, 'one'), at(21, { op: 'force-logout' }), checked(24, 'one', over('idle', 20))],
  ],
  [
    'a use early in the idle time that was lost with its server',
    [login(0, 'one'), checked(8, 'one', { server: 1 }), checked(22, 'one', over('idle', 20))],
    [{ start: 9, end: 12, server: 1 }],
  ],
  [
    'a use that the database kept from being written behind',
    [login(0, 'one'), checked(8, 'one', { server: 1 }), checked(22, 'one', over('idle', 20))],
    [{ start: 7, end: 12 }],
  ],
  [
    'a use without an answer that keeps a session alive',
    [login(0, 'one'), checked(15, 'one', unanswered), checked(30, 'one')],
  ],
  [
    'regular use up to the absolute lifetime',
    [
      login(0, 'one'),
      ...[15, 30, 45, 60, 75, 90, 99].map((start) => checked(start, 'one')),
      checked(101, 'one', over('expired', 100)),
    ],
  ],
  [
    'a stream that keeps a session in use while it is open, and tells its end',
    [
      login(0, 'one'),
      at(5, { op: 'stream', session: 'one', token: 'a-one', end: 60 }),
      at(65, { op: 'force-session', target: 'one' }),
      checked(67, 'one', over('forced', 65)),
    ],
  ],
  [
    'an introspection that calls a token inactive that was replaced',
    [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      at(4, { op: 'introspect', session: 'one', token: 'a-one', active: false }),
      checked(6, 'two', { session: 'one' }),
    ],
  ],
]

/**
 * What no call shows but that none does: taking calls away shows nothing about these.
 */
const BY_ABSENCE = ['P4', 'P5']

test.group('Chaos checker', () => {
  test('finds nothing in a history without fault', ({ assert }) => {
    const history = [
      login(0, 'one'),
      checked(2, 'one'),
      login(4, 'two', { ended: ['one'] }),
      checked(6, 'one', refused),
      checked(6, 'two'),
      at(8, { op: 'refresh', session: 'two', token: 'r-two', ...unanswered }),
      checked(10, 'two', { status: 401, code: 'E_TOKEN_EXPIRED' }),
      at(12, { op: 'force-logout', ...unanswered }),
      checked(14, 'two', { ...refused, reason: 'forced' }),
    ]
    assert.deepEqual(check(history, { limit: 1 }), [])
  })

  test('a call that overlaps the end of its session may go either way', ({ assert }) => {
    const history = [login(0, 'one'), login(4, 'two', { ended: ['one'] }), checked(4.5, 'one')]
    assert.deepEqual(check(history, { limit: 1 }), [])
  })

  test('what had no answer may have happened, or happen later, or never', ({ assert }) => {
    for (const lost of [unanswered, { status: 503, code: 'E_UNAVAILABLE' }]) {
      const begin = [login(0, 'one'), at(2, { op: 'logout', session: 'one', ...lost })]
      const told = checked(8, 'one', { ...refused, reason: 'logged_out' })
      assert.deepEqual(check([...begin, checked(4, 'one')], { limit: 1 }), [])
      assert.deepEqual(check([...begin, checked(4, 'one'), told], { limit: 1 }), [])
    }
  })

  test('a refresh whose answers were lost gives others later, or the same while they are new', ({
    assert,
  }) => {
    const late = [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      refreshed(4 + RETRY_WINDOW, 'one', 'three'),
    ]
    assert.deepEqual(check(late, { limit: 1 }), [])
    const used = [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      refreshed(4, 'two', 'three'),
      refreshed(6, 'one', 'two'),
    ]
    assert.deepEqual(check(used, { limit: 1 }), [])
  })

  test('a lost answer to a refresh gives the same successor again', ({ assert }) => {
    const history = [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      refreshed(4, 'one', 'two'),
      checked(6, 'two', { session: 'one' }),
    ]
    assert.deepEqual(check(history, { limit: 1 }), [])
  })

  test('finds {0}')
    .with(BROKEN)
    .run(({ assert }, [, history, expected]) => {
      assert.deepEqual(promises(history), expected)
    })

  test('finds {0}')
    .with(BROKEN_LIVES)
    .run(({ assert }, [, history, promise, says, strikes]) => {
      const violations = check(history, { ...LIVES, strikes })
      assert.deepEqual(
        violations.map((one) => one.promise),
        [promise]
      )
      assert.match(violations[0].says, says)
    })

  test('accepts {0}')
    .with(SOUND_LIVES)
    .run(({ assert }, [, history, strikes]) => {
      assert.deepEqual(check(history, { ...LIVES, strikes }), [])
    })

  test('finds more sessions at once than the limit', ({ assert }) => {
    const history = [
      login(0, 'one'),
      login(0.1, 'two'),
      login(0.2, 'three'),
      checked(5, 'one'),
      checked(5, 'two'),
    ]
    assert.deepEqual(promises(history, 2), [])
    assert.deepEqual(promises([...history, checked(5, 'three')], 2), ['P2'])
  })

  test('finds two sessions of one device', ({ assert }) => {
    const history = [
      login(0, 'one', { device: 'phone' }),
      login(0.1, 'two', { device: 'phone' }),
      checked(5, 'one'),
    ]
    assert.deepEqual(promises(history, 9), [])
    assert.deepEqual(promises([...history, checked(5, 'two')], 9), ['P2'])
  })

  test('shows a fault by calls of which none can be left out', ({ assert }) => {
    const noise = Array.from({ length: 100 }, (_, index) => checked(1 + index / 100, 'one'))
    for (const [title, history] of BROKEN) {
      for (const { promise, says, calls } of check([...noise, ...history], { limit: 1 })) {
        const shows = (some: Call[]) =>
          check(some, { limit: 1 }).some((one) => one.promise === promise && one.says === says)
        assert.isTrue(shows(calls), title)
        if (BY_ABSENCE.includes(promise)) continue
        for (const call of calls) {
          assert.isFalse(shows(calls.filter((other) => other !== call)), `${title} ${call.op}`)
        }
      }
    }
  })

  test('shows a fault of lifetimes by calls of which none can be left out', ({ assert }) => {
    for (const [title, history, , , strikes] of BROKEN_LIVES) {
      const conditions = { ...LIVES, strikes }
      for (const { promise, says, calls } of check(history, conditions)) {
        const shows = (some: Call[]) =>
          check(some, conditions).some((one) => one.promise === promise && one.says === says)
        assert.isTrue(shows(calls), title)
        if (says.includes('time had ended it')) continue
        for (const call of calls) {
          assert.isFalse(shows(calls.filter((other) => other !== call)), `${title} ${call.op}`)
        }
      }
    }
  })

  test('puts the fault first that the fewest calls show', ({ assert }) => {
    const violations = check(
      BROKEN.flatMap(([, history]) => history),
      { limit: 1 }
    )
    const lengths = violations.map(({ calls }) => calls.length)
    assert.isAbove(lengths.length, 5)
    assert.deepEqual(
      lengths,
      [...lengths].sort((one, other) => one - other)
    )
  })
})
