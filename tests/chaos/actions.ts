import { now, type Call } from './history.js'
import { putAway, type Held, type Person } from './person.js'
import type { Asked } from './wire.js'

type Action = { weight: number; act(person: Person): Promise<void> }

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
  'stale': { weight: 60, act: tryOld },
  'refresh': { weight: 16, act: renew },
  'logout': { weight: 3, act: (person) => leave(person, 'logout') },
  'logout-others': { weight: 3, act: (person) => leave(person, 'logout-others') },
  'logout-all': { weight: 1.5, act: (person) => leave(person, 'logout-all') },
  'end-session': { weight: 3, act: endOther },
  'password': { weight: 1, act: changePassword },
  'force-logout': { weight: 1.5, act: forceLogout },
  'force-everyone': { weight: 0.1, act: forceEveryone },
  'disable': { weight: 0.4, act: disableAndEnable },
  'half': { weight: 1, act: ({ wire }) => wire.sendHalf() },
} satisfies Record<string, Action>

export type ActionName = keyof typeof ACTIONS

/**
 * Ways to ask whether a token is good.
 */
const LOOKS = {
  'check': { method: 'GET', path: '/api/v1/account' },
  'list': { method: 'GET', path: '/api/v1/sessions' },
  'forward-auth': { method: 'GET', path: '/forward-auth' },
  'introspect': { method: 'POST', path: '/oauth/introspect' },
  'stream': { method: 'GET', path: '/api/v1/session/events' },
} as const

type Look = keyof typeof LOOKS

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

async function logIn(person: Person): Promise<void> {
  const { random, order } = person
  const email = random.next() < 0.6 ? person.home : random.pick(order.users).email
  const device = random.next() < 0.5 ? person.device : undefined
  const { opened } = await send(person, {
    method: 'POST',
    path: '/api/v1/auth/login',
    call: { op: 'login', user: email, device },
    body: { email, password: order.password, device: { id: device, platform: 'web' } },
  })
  putAway(person)
  if (opened) person.held = { user: email, ...opened }
}

async function look(person: Person, op: Look, held: Held): Promise<void> {
  const introspects = op === 'introspect'
  const { code } = await send(person, {
    ...LOOKS[op],
    call: { op, ...of(held) },
    headers: introspects ? { authorization: person.order.basic } : bearer(held.access),
    form: introspects ? { token: held.access } : undefined,
  })
  if (held !== person.held) return
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

function sendRefresh(person: Person, held: Held): Promise<Call> {
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
    if (opened) person.held = { user: held.user, ...opened }
    else if (status !== null && status < 500) putAway(person)
    else continue
    return
  }
}

async function leave(person: Person, op: 'logout' | 'logout-others' | 'logout-all') {
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
  if (opened) person.held = { user: held.user, ...opened }
}

/**
 * What an admin does. The admin's own session is no part of the history.
 */
async function administer(
  person: Person,
  call: Pick<Call, 'op' | 'user'>,
  request: { method: string; path: string; body: unknown }
): Promise<Call | null> {
  const { order, wire } = person
  if (!person.adminToken) {
    const { opened } = await wire.send({
      method: 'POST',
      path: '/api/v1/auth/login',
      call: { op: 'login', user: order.admin.email },
      body: { email: order.admin.email, password: order.password },
      unseen: true,
    })
    person.adminToken = opened?.access
  }
  if (!person.adminToken) return null
  const answer = await send(person, { ...request, call, headers: bearer(person.adminToken) })
  if (answer.status === 401) person.adminToken = undefined
  return answer
}

const idOf = ({ order, held }: Person) => order.users.find(({ email }) => email === held!.user)!.id

async function forceLogout(person: Person): Promise<void> {
  const path = `/api/v1/admin/users/${idOf(person)}/sessions`
  const call = { op: 'force-logout', user: person.held!.user } as const
  await administer(person, call, { method: 'DELETE', path, body: {} })
}

async function forceEveryone(person: Person): Promise<void> {
  const request = { method: 'POST', path: '/api/v1/admin/force-logout', body: { all: true } }
  await administer(person, { op: 'force-everyone', user: '*' }, request)
}

/**
 * Enables the account again until that has worked.
 */
async function disableAndEnable(person: Person): Promise<void> {
  const { user } = person.held!
  const path = `/api/v1/admin/users/${idOf(person)}`
  const began = now()
  const disable = { method: 'POST', path: `${path}/disable`, body: {} }
  const enable = { method: 'POST', path: `${path}/enable`, body: {} }
  await administer(person, { op: 'disable', user }, disable)
  while (now() < began + 10_000) {
    const enabled = await administer(person, { op: 'enable', user }, enable)
    if (enabled?.status === 200) return
  }
}
