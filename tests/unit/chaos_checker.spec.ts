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
const refused = { status: 401, code: 'E_SESSION_ENDED', reason: 'superseded' }

const promises = (history: Call[], limit = 1) => check(history, limit).map((one) => one.promise)

test.group('Chaos checker', () => {
  test('finds nothing in a history without fault', ({ assert }) => {
    const history = [
      login(0, 'one'),
      checked(2, 'one'),
      login(4, 'two', { ended: ['one'] }),
      checked(6, 'one', refused),
      checked(6, 'two'),
      at(8, { op: 'force-logout', end: null, status: null }),
      checked(10, 'two', { ...refused, reason: 'forced' }),
    ]
    assert.deepEqual(check(history, 1), [])
  })

  test('a call that overlaps the end of its session may go either way', ({ assert }) => {
    const history = [login(0, 'one'), login(4, 'two', { ended: ['one'] }), checked(4.5, 'one')]
    assert.deepEqual(check(history, 1), [])
  })

  test('{0}')
    .with([
      [
        'P1: an evicted session that still speaks',
        [login(0, 'one'), login(4, 'two', { ended: ['one'] }), checked(6, 'one')],
        ['P1'],
      ],
      [
        'P1: a session that the limit alone must have ended',
        [login(0, 'one'), login(4, 'two', { ended: [] }), checked(6, 'one')],
        ['P1'],
      ],
      [
        'P1: a refresh after a force logout',
        [
          login(0, 'one'),
          at(2, { op: 'force-logout' }),
          at(4, { op: 'refresh', session: 'one', token: 'r-one' }),
        ],
        ['P3'],
      ],
      [
        'P6: a session that comes back to life',
        [
          login(0, 'one'),
          at(2, { op: 'logout', session: 'one', end: null, status: null }),
          checked(4, 'one', { ...refused, reason: 'logged_out' }),
          checked(6, 'one'),
        ],
        ['P6'],
      ],
      [
        'P3: an access token that outlives its rotation',
        [
          login(0, 'one'),
          at(2, {
            op: 'refresh',
            session: 'one',
            token: 'r-one',
            opened: { session: 'one', access: 'a2', refresh: 'r2' },
          }),
          checked(4, 'one'),
        ],
        ['P3'],
      ],
      ['P4: a fault of the service', [at(0, { op: 'login', status: 500 })], ['P4']],
      [
        'P4: a token that was valid and is called unknown',
        [login(0, 'one'), checked(2, 'one', { status: 401, code: 'E_UNAUTHORIZED_ACCESS' })],
        ['P4'],
      ],
      [
        'P5: an end that nobody brought about',
        [login(0, 'one'), checked(2, 'one', refused)],
        ['P5'],
      ],
    ] as [string, Call[], string[]][])
    .run(({ assert }, [, history, expected]) => {
      assert.deepEqual(promises(history), expected)
    })

  test('P2: more sessions at once than the limit', ({ assert }) => {
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

  test('what it reports is short', ({ assert }) => {
    const noise = Array.from({ length: 100 }, (_, index) => checked(1 + index / 100, 'one'))
    const history = [login(0, 'one'), ...noise, login(4, 'two'), checked(6, 'one')]
    const [violation] = check(history, 1)
    assert.lengthOf(violation.calls, 3)
  })
})
