import { appendFileSync } from 'node:fs'
import { now, type Call } from './history.js'
import { Random } from './random.js'

/**
 * One client process of the chaos run: several people at once, each with a device, who do at
 * random what people do, on two servers, and write down what they saw.
 */
export type ClientOrder = {
  servers: string[]
  users: { email: string; id: number }[]
  admin: { email: string }
  password: string
  people: number
  seed: number
  forMs: number
  file: string
}

type Held = { user: string; session: string; access: string; refresh: string }

/**
 * How often each thing is done, in relation to the others.
 */
const ACTIONS = {
  'check': 60,
  'login': 8,
  'refresh': 8,
  'stale': 8,
  'logout': 2,
  'logout-others': 2,
  'logout-all': 1,
  'password': 1,
  'force-logout': 1,
  'disable': 0.3,
  'goAway': 4,
}

const order: ClientOrder = JSON.parse(process.argv[2])
const deadline = now() + order.forMs
let lines: string[] = []

const flush = () => {
  appendFileSync(order.file, lines.join(''))
  lines = []
}
const timer = setInterval(flush, 200)
await Promise.all(Array.from({ length: order.people }, (_, index) => live(index)))
clearInterval(timer)
flush()

/**
 * One person's calls, one after another. Old tokens are kept and tried again: they must stay dead.
 */
async function live(index: number) {
  const random = new Random(order.seed * 1000 + index)
  let held: Held | undefined
  let adminToken: string | undefined
  const old: Held[] = []

  while (now() < deadline) {
    const action = held ? random.weighted(ACTIONS) : 'login'
    const mine = held
    if (action === 'login' || !mine) {
      const { email } = random.pick(order.users)
      held = await logIn(random, email)
      if (mine) old.push(mine)
    } else if (action === 'refresh') {
      held = { ...mine, ...(await refresh(random, mine)) }
    } else if (action === 'stale' && old.length > 0) {
      const token = random.pick(old)
      if (random.next() < 0.7) await check(random, token)
      else await refresh(random, token)
    } else if (action === 'password') {
      const changed = await send(random, 'PUT', '/api/v1/account/password', {
        call: { op: 'password', user: mine.user, session: mine.session, token: mine.access },
        body: { currentPassword: order.password, password: order.password },
      })
      old.push(mine)
      if (changed.opened) held = { ...mine, ...changed.opened }
    } else if (action === 'force-logout' || action === 'disable') {
      adminToken ??= await adminLogIn(random)
      const { id } = order.users.find(({ email }) => email === mine.user)!
      if (adminToken) adminToken = await administer(random, action, mine.user, id, adminToken)
    } else if (action === 'goAway') {
      await check(random, mine, { goAway: true })
    } else if (action === 'check' || action === 'stale') {
      const seen = await check(random, mine)
      if (seen.code === 'E_SESSION_ENDED') {
        old.push(mine)
        held = undefined
      } else if (seen.code === 'E_TOKEN_EXPIRED') {
        held = { ...mine, ...(await refresh(random, mine)) }
      }
    } else {
      await send(random, 'POST', `/api/v1/auth/${action}`, {
        call: { op: action, user: mine.user, session: mine.session, token: mine.access },
      })
      if (action !== 'logout-others') {
        old.push(mine)
        held = undefined
      }
    }
    if (old.length > 8) old.splice(0, old.length - 8)
  }
}

async function logIn(random: Random, email: string, options: { own?: boolean } = {}) {
  const call = await send(random, 'POST', '/api/v1/auth/login', {
    call: { op: 'login', user: email },
    body: { email, password: order.password, device: { platform: 'web' } },
    unseen: options.own,
  })
  return call.opened && { user: email, ...call.opened }
}

async function adminLogIn(random: Random): Promise<string | undefined> {
  const held = await logIn(random, order.admin.email, { own: true })
  return held?.access
}

function check(random: Random, held: Held, options: { goAway?: boolean } = {}) {
  return send(random, 'GET', '/api/v1/account', {
    call: { op: 'check', user: held.user, session: held.session, token: held.access },
    goAway: options.goAway,
  })
}

/**
 * A refresh that is tried once more when no answer came, as an honest client does.
 */
async function refresh(random: Random, held: Held): Promise<Partial<Held>> {
  for (let attempt = 0; attempt < 2; attempt++) {
    const call = await send(random, 'POST', '/api/v1/auth/refresh', {
      call: { op: 'refresh', user: held.user, session: held.session, token: held.refresh },
      body: { refreshToken: held.refresh },
      goAway: attempt === 0 && random.next() < 0.2,
    })
    if (call.opened) return { access: call.opened.access, refresh: call.opened.refresh }
    if (call.status !== null) break
  }
  return {}
}

/**
 * Forces a user out, or disables the account and enables it again until that has worked. Gives the
 * admin's token, or nothing when a new one is needed.
 */
async function administer(
  random: Random,
  action: 'force-logout' | 'disable',
  user: string,
  id: number,
  token: string
): Promise<string | undefined> {
  const path = action === 'disable' ? 'disable' : 'sessions'
  const call = await send(
    random,
    action === 'disable' ? 'POST' : 'DELETE',
    `/api/v1/admin/users/${id}/${path}`,
    {
      call: { op: action, user },
      bearer: token,
      body: {},
    }
  )
  for (let tries = 0; action === 'disable' && tries < 50; tries++) {
    const enabled = await send(random, 'POST', `/api/v1/admin/users/${id}/enable`, {
      call: { op: 'enable', user },
      bearer: token,
      body: {},
    })
    if (enabled.status === 200) break
    if (enabled.status === 401) token = (await adminLogIn(random)) ?? token
  }
  return call.status === 401 ? undefined : token
}

/**
 * One request to one of the servers, written down. Without an answer in time, or when the client
 * goes away, it is not known what became of it.
 */
async function send(
  random: Random,
  method: string,
  path: string,
  options: {
    call: Omit<Call, 'start' | 'end' | 'status'>
    body?: unknown
    bearer?: string
    goAway?: boolean
    unseen?: boolean
  }
): Promise<Call> {
  const call: Call = { ...options.call, start: now(), end: null, status: null }
  const bearer = options.bearer ?? (call.op === 'refresh' ? undefined : call.token)
  const leaving = options.goAway ? random.next() * 8 : 15_000
  try {
    const response = await fetch(random.pick(order.servers) + path, {
      method,
      headers: {
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
      },
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: AbortSignal.timeout(Math.ceil(leaving)),
    })
    const text = await response.text()
    call.end = now()
    call.status = response.status
    const { data, errors } = text ? JSON.parse(text) : ({} as any)
    call.code = errors?.[0].code
    call.reason = errors?.[0].reason
    if (data?.token) {
      call.opened = {
        session: data.session.id,
        access: data.token,
        refresh: data.refreshToken,
      }
    }
    if (data?.endedSessions) call.ended = data.endedSessions.map(({ id }: { id: string }) => id)
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (!options.unseen) lines.push(`${JSON.stringify(call)}\n`)
  return call
}
