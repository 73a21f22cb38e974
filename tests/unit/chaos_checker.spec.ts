import { test } from '@japa/runner'
import { check } from '../chaos/checker.js'
import type { Call } from '../chaos/history.js'

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

const promises = (history: Call[], limit = 1) => check(history, limit).map((one) => one.promise)

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
    'a refresh token that works after its successor was used',
    [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      refreshed(4, 'two', 'three'),
      refreshed(6, 'one', 'two'),
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
    assert.deepEqual(check(history, 1), [])
  })

  test('a call that overlaps the end of its session may go either way', ({ assert }) => {
    const history = [login(0, 'one'), login(4, 'two', { ended: ['one'] }), checked(4.5, 'one')]
    assert.deepEqual(check(history, 1), [])
  })

  test('what had no answer may have happened, or happen later, or never', ({ assert }) => {
    for (const lost of [unanswered, { status: 503, code: 'E_UNAVAILABLE' }]) {
      const begin = [login(0, 'one'), at(2, { op: 'logout', session: 'one', ...lost })]
      const told = checked(8, 'one', { ...refused, reason: 'logged_out' })
      assert.deepEqual(check([...begin, checked(4, 'one')], 1), [])
      assert.deepEqual(check([...begin, checked(4, 'one'), told], 1), [])
    }
  })

  test('a lost answer to a refresh gives the same successor again', ({ assert }) => {
    const history = [
      login(0, 'one'),
      refreshed(2, 'one', 'two'),
      refreshed(4, 'one', 'two'),
      checked(6, 'two', { session: 'one' }),
    ]
    assert.deepEqual(check(history, 1), [])
  })

  test('finds {0}')
    .with(BROKEN)
    .run(({ assert }, [, history, expected]) => {
      assert.deepEqual(promises(history), expected)
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
      for (const { promise, says, calls } of check([...noise, ...history], 1)) {
        const shows = (some: Call[]) =>
          check(some, 1).some((one) => one.promise === promise && one.says === says)
        assert.isTrue(shows(calls), title)
        if (BY_ABSENCE.includes(promise)) continue
        for (const call of calls) {
          assert.isFalse(shows(calls.filter((other) => other !== call)), `${title} ${call.op}`)
        }
      }
    }
  })

  test('puts the fault first that the fewest calls show', ({ assert }) => {
    const violations = check(
      BROKEN.flatMap(([, history]) => history),
      1
    )
    const lengths = violations.map(({ calls }) => calls.length)
    assert.isAbove(lengths.length, 5)
    assert.deepEqual(
      lengths,
      [...lengths].sort((one, other) => one - other)
    )
  })
})
