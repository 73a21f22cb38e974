import User from '#models/user'
import { PASSWORD, type UserWithEmail } from '../harness/accounts.js'
import type { Violation } from './checker.js'
import type { Nodes } from './faults.js'
import { BY_TIME, now, type Call, type Strike } from './history.js'
import { Random } from './random.js'
import { Wire, type Asked } from './wire.js'

/**
 * How many tokens are tried at once.
 */
const AT_ONCE = 50

/**
 * How many users sign in in a race at the end.
 */
const RACING = 4

/**
 * What is looked at once nothing strikes any more: the servers have recovered by themselves, a race
 * leaves the newest sign-in alive, and after a last kill -9 of everything no token of an ended
 * session has come back. Gives the calls that it made; the checker judges them with all the others.
 */
export async function audit(
  nodes: Nodes,
  users: UserWithEmail[],
  history: Call[],
  basic: string,
  { violations, strikes }: { violations: Violation[]; strikes: Strike[] }
): Promise<Call[]> {
  const calls: Call[] = []
  const random = new Random(1)
  const wire = new Wire(
    nodes.all.map(({ url }) => url),
    random,
    (call) => calls.push(call)
  )
  await enable(users, calls)
  for (const { email } of users.slice(0, RACING)) {
    await Promise.all(Array.from({ length: 5 }, () => logIn(wire, email)))
    await logIn(wire, email)
  }
  await tryAll(wire, calls)
  await readFeed(wire, basic)
  violations.push(...refusedSignIns(calls), ...deadNewest(calls))

  const start = now()
  await Promise.all(nodes.all.map((node) => node.kill()))
  await Promise.all(nodes.all.map((_, index) => nodes.replace(index, 0)))
  strikes.push({ start, end: now() })
  await tryAll(wire, [...history, ...calls])
  await readFeed(wire, basic)
  return calls
}

/**
 * An account that was left disabled when the clients stopped.
 */
async function enable(users: UserWithEmail[], calls: Call[]) {
  const start = now()
  await User.query().update({ disabledAt: null })
  for (const { email } of users) {
    calls.push({ op: 'enable', user: email, start, end: now(), status: 200 })
  }
}

function logIn(wire: Wire, email: string): Promise<Call> {
  return wire.send({
    method: 'POST',
    path: '/api/v1/auth/login',
    call: { op: 'login', user: email },
    body: { email, password: PASSWORD },
  })
}

/**
 * Tries the latest access token of every session that the calls know.
 */
async function tryAll(wire: Wire, calls: Call[]) {
  const latest = new Map<string, Call>()
  for (const call of calls) {
    const other = call.opened && latest.get(call.opened.session)
    if (call.opened && (!other || other.end! < call.end!)) latest.set(call.opened.session, call)
  }
  const all = [...latest.values()]
  for (let from = 0; from < all.length; from += AT_ONCE) {
    await Promise.all(
      all.slice(from, from + AT_ONCE).map(({ user, opened }) =>
        wire.send({
          method: 'GET',
          path: '/api/v1/account',
          call: { op: 'check', user, session: opened!.session, token: opened!.access },
          headers: { authorization: `Bearer ${opened!.access}` },
        })
      )
    )
  }
}

/**
 * The whole log of ended sessions.
 */
async function readFeed(wire: Wire, basic: string) {
  let page: Call | undefined
  do {
    page = await wire.send(askFeed(basic, page?.cursor))
  } while (page.told && page.told.length > 0)
}

/**
 * Asks for a page of the log of ended sessions, behind a cursor or from its beginning.
 */
export function askFeed(basic: string, after?: string): Asked {
  const query = new URLSearchParams({ limit: '1000', ...(after && { after }) })
  return {
    method: 'GET',
    path: `/api/v1/revocations?${query}`,
    call: { op: 'feed', user: '*' },
    headers: { authorization: basic },
  }
}

/**
 * P4: with nothing in its way, a sign-in works.
 */
function refusedSignIns(calls: Call[]): Violation[] {
  return calls
    .filter(({ op, status }) => op === 'login' && status !== 200)
    .map((call) => ({ promise: 'P4', says: 'a server did not recover', calls: [call] }))
}

/**
 * P2: after the race the newest sign-in of each user is alive, unless time has ended it since.
 */
function deadNewest(calls: Call[]): Violation[] {
  const newest = new Map<string, Call>()
  for (const call of calls) if (call.op === 'login') newest.set(call.user, call)
  return calls
    .filter(
      ({ op, user, session, status, reason }) =>
        op === 'check' &&
        session === newest.get(user)?.opened?.session &&
        status !== 200 &&
        !(reason && BY_TIME.includes(reason))
    )
    .map((call) => ({
      promise: 'P2',
      says: `the newest sign-in of ${call.user} is dead`,
      calls: [newest.get(call.user)!, call],
    }))
}
