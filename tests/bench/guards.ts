import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { figure, number, spread, table } from './figures.js'
import { drive } from './load.js'
import type { Plan } from './plan.js'
import type { BenchServer, Database, Workshop } from './servers.js'

const FRAMEWORKS = ['express', 'fastify']
const CHECKS = ['none', 'jwt', 'ask', 'follow']
const NAMES: Record<string, string> = {
  none: 'no guard',
  jwt: 'JWT (HS256, jose)',
  ask: '`ask`',
  follow: '`follow`',
}

/** Tokens in rotation, and those that are signed out meanwhile. */
const ROTATION = 10_000
const ENDS_A_SECOND = 50
const CONNECTIONS = 32

/**
 * What a guard costs a service: the same small answer of Express and Fastify without one, with a
 * token that is checked locally, and with Latchkey asked or followed, while sessions end.
 */
export async function compareGuards(workshop: Workshop, database: Database, plan: Plan) {
  const runs = FRAMEWORKS.length * CHECKS.length * plan.rounds
  const ends = Math.ceil(runs * (plan.seconds + 1) * ENDS_A_SECOND * 1.5)
  const server = await workshop.startServer(database, 1_000, ROTATION + ends)
  const { guarded } = server.holdings.tokens
  const rotation = guarded.slice(0, ROTATION)
  const secret = randomBytes(32).toString('base64url')
  const jwts = await signAll(secret)
  const env = {
    LATCHKEY_URL: server.url,
    CLIENT_ID: server.holdings.client.id,
    CLIENT_SECRET: server.holdings.client.secret,
    JWT_SECRET: secret,
  }
  const variants = await Promise.all(
    FRAMEWORKS.flatMap((framework) =>
      CHECKS.map(async (check) => ({
        framework,
        check,
        tokens: check === 'jwt' ? jwts : rotation,
        app: await workshop.startApp([framework, check], env),
      }))
    )
  )
  const measure = ({ app, tokens }: (typeof variants)[number], seconds: number) =>
    drive({ url: app.url, tokens, connections: CONNECTIONS, seconds })

  /** Each service has seen every token once before it is measured. */
  for (const variant of variants) await measure(variant, 5)
  const stopEnding = endSessions(server, guarded.slice(ROTATION))
  const outcomes = await plan.interleave(variants, (variant) => measure(variant, plan.seconds))
  const ended = await stopEnding()
  for (const { app } of variants) app.process.kill('SIGTERM')
  await workshop.stopServer(server)

  const results = variants.map((variant) => {
    const measured = outcomes.get(variant)!
    const failures: Record<string, number> = Object.assign(
      {},
      ...measured.map((run) => run.failures)
    )
    return {
      framework: variant.framework,
      check: variant.check,
      rate: figure(measured.map((run) => run.rate)),
      p50: figure(measured.map((run) => run.p50)),
      p99: figure(measured.map((run) => run.p99)),
      failures,
    }
  })
  const lines = results.map(({ framework, check, rate, p50, p99, failures }) => {
    const bare = results.find((one) => one.framework === framework && one.check === 'none')!
    return [
      `${framework}, ${NAMES[check]}`,
      spread(rate),
      number(rate.median / bare.rate.median, 2),
      number(p50.median, 2),
      number(p99.median, 2),
      Object.entries(failures)
        .map(([kind, count]) => `${count} × ${kind}`)
        .join(', ') || 'none',
    ]
  })
  plan.print(
    `A guarded request, ${database}, ${CONNECTIONS} connections, ${number(ROTATION)} tokens in rotation, ${number(ended)} sessions ended meanwhile\n\n${table(
      ['service', 'requests/s', '× no guard', 'p50 ms', 'p99 ms', 'failures'],
      lines
    )}`
  )
  return results
}

async function signAll(secret: string): Promise<string[]> {
  const key = new TextEncoder().encode(secret)
  return Promise.all(
    Array.from({ length: ROTATION }, (_, index) =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(String(index))
        .setExpirationTime('24h')
        .sign(key)
    )
  )
}

/**
 * Signs so many sessions out a second. Returns what stops it and says how many there were.
 */
function endSessions(server: BenchServer, tokens: string[]): () => Promise<number> {
  let ended = 0
  const timer = setInterval(() => {
    const token = tokens.pop()
    if (!token) return
    void fetch(`${server.url}/api/v1/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    }).then(({ status }) => {
      if (status === 204) ended++
    })
  }, 1_000 / ENDS_A_SECOND)
  return async () => {
    clearInterval(timer)
    return ended
  }
}
