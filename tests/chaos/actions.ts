import { now, succeeded, type Call } from './history.js'
import { putAway, type Action, type Held, type Person } from './person.js'
import type { Asked } from './wire.js'

/**
 * What people do, and how often in relation to the rest. A new operation is one entry here, and
 * what its answer means for sessions is said in ./knowledge.ts and ./rules.
 */
export const ACTIONS = {
  'login': { weight: 5, act: logIn },
  'check': { weight: 200, act: (person) => look(person, 'check', person.held!) },
  'list': { weight: 25, act: (person) => look(person, 'list', person.held!) },
  'forward-auth': { weight: 20, act: (person) => look(person, 'forward-auth', person.held!) },
  'introspect': { weight: 20, act: (person) => look(person, 'introspect', person.held!) },
  'stream': { weight: 5, act: (person) => look(person, 'stream', person.held!) },
  'events': { weight: 5, act: (person) => look(person, 'events', person.held!) },
  'stale': { weight: 60, act: tryOld },
  'refresh': { weight: 16, act: renew },
  'logout': { weight: 3, act: (person) => leave(person, 'logout') },
  'logout-others': { weight: 3, act: (person) => leave(person, 'logout-others') },
  'logout-all': { weight: 1.5, act: (person) => leave(person, 'logout-all') },
  'end-session': { weight: 3, act: endOther },
  'password': { weight: 1, act: changePassword },
  'force-logout': { weight: 1.5, act: (person) => forceLogout(person) },
  'force-session': { weight: 1, act: (person) => forceSession(person) },
  'force-platform': { weight: 1, act: (person) => forcePlatform(person) },
  'force-everyone': { weight: 0.1, act: forceEveryone },
  'disable': { weight: 0.4, act: (person) => disableAndEnable(person) },
  'half': { weight: 1, act: ({ wire }) => wire.sendHalf() },
} satisfies Record<string, Action>

/**
 * Ways to ask whether a token is good.
 */
const LOOKS = {
  'check': { method: 'GET', path: '/api/v1/account' },
  'list': { method: 'GET', path: '/api/v1/sessions' },
  'forward-auth': { method: 'GET', path: '/forward-auth' },
  'introspect': { method: 'POST', path: '/oauth/introspect' },
  'stream': { method: 'GET', path: '/api/v1/session/events' },
  'events': { method: 'GET', path: '/api/v1/account/events' },
} as const

export type Look = keyof typeof LOOKS

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/**
 * Whom a call of a session is about, and what it sends.
 */
const of = ({ user, session, access }: Held) => ({ user, session, token: access })

/**
 * A request of somebody, who now and then goes away in the middle of it.
 */
function send({ wire, random }: Person, asked: Asked): Promise<Call> {
  const leaveAfter = random.next() < 0.04 ? random.next() * 15 : undefined
  return wire.send({ leaveAfter, ...asked })
}

export const PLATFORMS = ['web', 'ios', 'android']

function logIn(person: Person): Promise<void> {
  const { random, order, home, device } = person
  return logInTo(
    person,
    random.next() < 0.6 ? home : random.pick(order.users).email,
    random.next() < 0.5 ? device : undefined
  )
}

export async function logInTo(person: Person, email: string, device?: string): Promise<void> {
  const { random, order } = person
  const platform = random.pick(PLATFORMS)
  const { opened } = await send(person, {
    method: 'POST',
    path: '/api/v1/auth/login',
    call: { op: 'login', user: email, device, platform },
    body: { email, password: order.password, device: { id: device, platform } },
  })
  putAway(person)
  if (opened) person.held = { user: email, platform, usedAt: now(), ...opened }
}

export async function look(
  person: Person,
  op: Look,
  held: Held,
  options: { holdFor?: number; leaveAfter?: number } = {}
): Promise<void> {
  const introspects = op === 'introspect'
  const answer = await send(person, {
    ...options,
    ...LOOKS[op],
    call: { op, ...of(held) },
    headers: introspects ? { authorization: person.order.basic } : bearer(held.access),
    form: introspects ? { token: held.access } : undefined,
  })
  if (succeeded(answer) && !introspects) held.usedAt = now()
  if (held !== person.held) return
  const { code } = answer
  if (code === 'E_SESSION_ENDED') putAway(person)
  else if (code === 'E_TOKEN_EXPIRED') await renew(person)
}

async function tryOld(person: Person): Promise<void> {
  const { random, old } = person
  if (old.length === 0) return
  const held = random.pick(old)
  if (random.next() < 0.3) await sendRefresh(person, held)
  else await look(person, random.pick(Object.keys(LOOKS) as Look[]), held)
}

export function sendRefresh(person: Person, held: Held): Promise<Call> {
  return send(person, {
    method: 'POST',
    path: '/api/v1/auth/refresh',
    call: { op: 'refresh', user: held.user, session: held.session, token: held.refresh },
    body: { refreshToken: held.refresh },
  })
}

/**
 * A refresh that is tried again when no answer came, as an honest client does.
 */
async function renew(person: Person): Promise<void> {
  const held = person.held!
  for (let attempt = 0; attempt < 3; attempt++) {
    const { opened, status } = await sendRefresh(person, held)
    if (opened) person.held = { ...held, ...opened, usedAt: now() }
    else if (status !== null && status < 500) putAway(person)
    else continue
    return
  }
}

export async function leave(person: Person, op: 'logout' | 'logout-others' | 'logout-all') {
  const held = person.held!
  const { status } = await send(person, {
    method: 'POST',
    path: `/api/v1/auth/${op}`,
    call: { op, ...of(held) },
    headers: bearer(held.access),
  })
  if (op !== 'logout-others' || (status !== null && status >= 400)) putAway(person)
}

/**
 * Ends one of the sessions that an old token of the same account was for, or the own one.
 */
async function endOther(person: Person): Promise<void> {
  const held = person.held!
  const { old, random } = person
  const { session: target } = random.pick([held, ...old.filter(({ user }) => user === held.user)])
  await send(person, {
    method: 'DELETE',
    path: `/api/v1/sessions/${target}`,
    call: { op: 'end-session', target, ...of(held) },
    headers: bearer(held.access),
  })
  if (target === held.session) putAway(person)
}

/**
 * To the same password, so that nobody is locked out when the answer is lost.
 */
async function changePassword(person: Person): Promise<void> {
  const held = person.held!
  const { password } = person.order
  const { opened } = await send(person, {
    method: 'PUT',
    path: '/api/v1/account/password',
    call: { op: 'password', ...of(held) },
    headers: bearer(held.access),
    body: { currentPassword: password, password },
  })
  putAway(person)
  if (opened) person.held = { ...held, ...opened, usedAt: now() }
}

/**
 * What an admin does, who signs in again when the own session has ended. It is no part of the
 * history.
 */
async function administer(
  person: Person,
  call: Asked['call'],
  request: { method: string; path: string; body: unknown }
): Promise<Call | null> {
  for (let attempt = 0; attempt < 2; attempt++) {
    person.adminToken ??= await adminToken(person)
    if (!person.adminToken) return null
    const headers = bearer(person.adminToken)
    const answer = await send(person, { ...request, call, headers })
    if (answer.status !== 401) return answer
    person.adminToken = undefined
  }
  return null
}

async function adminToken({ order, wire }: Person): Promise<string | undefined> {
  const { opened } = await wire.send({
    method: 'POST',
    path: '/api/v1/auth/login',
    call: { op: 'login', user: order.admin.email },
    body: { email: order.admin.email, password: order.password },
    unseen: true,
  })
  return opened?.access
}

const idOf = ({ order }: Person, { user }: Held) =>
  order.users.find(({ email }) => email === user)!.id

/**
 * Admins end the session that a person holds, or held; by itself or among others.
 */
export async function forceLogout(person: Person, held = person.held!): Promise<void> {
  const path = `/api/v1/admin/users/${idOf(person, held)}/sessions`
  const call = { op: 'force-logout', user: held.user } as const
  await administer(person, call, { method: 'DELETE', path, body: {} })
}

export async function forceSession(person: Person, held = person.held!): Promise<void> {
  const { user, session } = held
  const call = { op: 'force-session', user, target: session } as const
  const path = `/api/v1/admin/sessions/${session}`
  await administer(person, call, { method: 'DELETE', path, body: {} })
}

export async function forcePlatform(person: Person, held = person.held!): Promise<void> {
  const { user, platform } = held
  const call = { op: 'force-platform', user, platform } as const
  const body = { users: [user], platform }
  await administer(person, call, { method: 'POST', path: '/api/v1/admin/force-logout', body })
}

async function forceEveryone(person: Person): Promise<void> {
  const request = { method: 'POST', path: '/api/v1/admin/force-logout', body: { all: true } }
  await administer(person, { op: 'force-everyone', user: '*' }, request)
}

/**
 * Enables the account again until that has worked.
 */
export async function disableAndEnable(person: Person, held = person.held!): Promise<void> {
  const { user } = held
  const path = `/api/v1/admin/users/${idOf(person, held)}`
  const began = now()
  const disable = { method: 'POST', path: `${path}/disable`, body: {} }
  const enable = { method: 'POST', path: `${path}/enable`, body: {} }
  await administer(person, { op: 'disable', user }, disable)
  while (now() < began + 10_000) {
    const enabled = await administer(person, { op: 'enable', user }, enable)
    if (enabled?.status === 200) return
  }
}
