import { listen } from './event_stream.js'
import { call } from './http.js'

export type Credentials = { token: string; refreshToken: string }

type Ask = (server: string, credentials: Credentials, basic: string) => Promise<string>

/**
 * Every channel in which a server says whether a session is alive. `basic` is the header of a
 * service client that may introspect.
 */
export const CHANNELS: Record<string, Ask> = {
  'the API': async (server, { token }) =>
    said(await fetch(`${server}/api/v1/account`, { headers: bearer(token) })),
  'forward auth': async (server, { token }) =>
    said(await fetch(`${server}/forward-auth`, { headers: bearer(token) })),
  'introspection': async (server, { token }, basic) => introspected(server, token, basic),
  'introspection of the refresh token': async (server, { refreshToken }, basic) =>
    introspected(server, refreshToken, basic),
  'the event stream': async (server, { token }) => {
    const cut = new AbortController()
    const answer = await fetch(`${server}/api/v1/session/events`, {
      headers: bearer(token),
      signal: cut.signal,
    })
    if (answer.status !== 200) return said(answer)
    cut.abort()
    return ALIVE
  },
  'refresh': async (server, { refreshToken }) =>
    said(
      await fetch(`${server}/api/v1/auth/refresh`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refreshToken }),
      })
    ),
}

export const ALIVE = 'alive'
const INACTIVE = 'inactive'

/**
 * The channels that say no more than that a token is dead.
 */
const TERSE = Object.keys(CHANNELS).filter((name) => name.startsWith('introspection'))

/**
 * What every channel says of a session that is dead: one that lives gets new tokens by this, for
 * refresh is the last that is asked.
 */
export async function saidEverywhere(
  server: string,
  credentials: Credentials,
  basic: string
): Promise<Record<string, string>> {
  const answers: Record<string, string> = {}
  for (const [name, ask] of Object.entries(CHANNELS)) {
    answers[name] = await ask(server, credentials, basic)
  }
  return answers
}

/**
 * What `saidEverywhere` gives of a session with this end.
 */
export function everywhere(reason: string, endedAt: Date | number | string) {
  const end = endSaid(reason, endedAt)
  const answers: Record<string, string> = {}
  for (const name of Object.keys(CHANNELS)) answers[name] = TERSE.includes(name) ? INACTIVE : end
  return answers
}

/**
 * What one channel says of a session with this end, if it says why.
 */
export function endSaid(reason: string, endedAt: Date | number | string): string {
  return `401 E_SESSION_ENDED ${reason} ${new Date(endedAt).toISOString()}`
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

async function said(answer: Response): Promise<string> {
  const text = await answer.text()
  if (answer.status === 200) return ALIVE
  const [error] = text.startsWith('{') ? JSON.parse(text).errors : []
  const { code, reason, endedAt } = error ?? {}
  return [answer.status, code, reason, endedAt].filter(Boolean).join(' ')
}

async function introspected(server: string, token: string, authorization: string) {
  const answer = await fetch(`${server}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams({ token }),
  })
  const body = (await answer.json()) as { active?: boolean }
  if (answer.status !== 200) return `${answer.status} ${JSON.stringify(body)}`
  return body.active ? ALIVE : INACTIVE
}

/**
 * Every end of a session that is on record, as admins and services read it: in the log, and in the
 * feed from its beginning. `basic` is the header of a service client that may follow.
 */
export async function endsOnRecord(
  server: string,
  sessionId: string,
  readers: { admin: string; basic: string }
): Promise<{ log: string[]; feed: string[] }> {
  const query = `session=${sessionId}&type=session.ended&perPage=100`
  const log = await call(server, 'GET', `/api/v1/admin/events?${query}`, { token: readers.admin })
  const feed: string[] = []
  for (let after = ''; ;) {
    const { body } = await call(server, 'GET', `/api/v1/revocations?limit=1000${after}`, {
      headers: { authorization: readers.basic },
    })
    if (body.data.revocations.length === 0) break
    for (const entry of body.data.revocations) {
      const ofSession = entry.sessionId === sessionId && (entry.type ?? ENDED) === ENDED
      if (ofSession) feed.push(`${entry.reason} ${entry.endedAt}`)
    }
    after = `&after=${body.data.cursor}`
  }
  return {
    log: log.body.data.map((event: any) => `${event.reason} ${event.occurredAt}`),
    feed,
  }
}

const ENDED = 'session.ended'

/**
 * What `endsOnRecord` gives of a session with this end.
 */
export function onRecordOnce(reason: string, endedAt: Date | number | string) {
  const end = `${reason} ${new Date(endedAt).toISOString()}`
  return { log: [end], feed: [end] }
}

/**
 * A stream that is open. Fails when it does not open.
 */
export async function openStream(server: string, token: string) {
  const stream = await listen(server, token)
  if (stream.status !== 200) throw new Error(`The stream was answered with ${stream.status}`)
  return stream
}
