import { figure, number, spread, table } from './figures.js'
import { drive } from './load.js'
import { post } from './post.js'
import type { Plan } from './plan.js'
import type { BenchServer, Database, Workshop } from './servers.js'

const CONNECTIONS = 32
const SIGN_INS_AT_ONCE = 64

/**
 * Checked requests while nothing else happens, and while 64 people sign in at any moment: whoever
 * is done, the next one begins.
 */
export async function compareStorm(workshop: Workshop, database: Database, plan: Plan) {
  const server = await workshop.startServer(database)
  const signIns: Record<string, number> = {}
  const outcomes = await plan.interleave(['quiet', 'storm'] as const, async (weather) => {
    const storm = weather === 'storm' ? startStorm(server, signIns) : undefined
    const outcome = await drive({
      url: `${server.url}/bench/latchkey`,
      tokens: server.holdings.tokens.latchkey,
      connections: CONNECTIONS,
      seconds: plan.seconds,
    })
    await storm?.end()
    return outcome
  })
  await workshop.stopServer(server)

  const [quiet, storm] = (['quiet', 'storm'] as const).map((weather) => {
    const runs = outcomes.get(weather)!
    return {
      rate: figure(runs.map((run) => run.rate)),
      p99: figure(runs.map((run) => run.p99)),
      failures: Object.assign({}, ...runs.map((run) => run.failures)) as Record<string, number>,
    }
  })
  plan.print(
    `Checked requests on ${database} during ${SIGN_INS_AT_ONCE} sign-ins at once, ${CONNECTIONS} connections`
  )
  plan.print(
    table(
      ['', 'requests/s', 'p99 ms', 'failures'],
      [
        ['quiet', spread(quiet.rate), spread(quiet.p99, 2), said(quiet.failures)],
        ['storm', spread(storm.rate), spread(storm.p99, 2), said(storm.failures)],
        [
          'storm / quiet',
          `${number(storm.rate.median / quiet.rate.median, 2)} ×`,
          `${number(storm.p99.median / quiet.p99.median, 2)} ×`,
          '',
        ],
      ]
    )
  )
  plan.print(`Sign-ins by status: ${said(signIns)}`)
  return { quiet, storm, signIns }
}

function said(counts: Record<string, number>): string {
  const words = Object.entries(counts).map(([kind, count]) => `${count} × ${kind}`)
  return words.join(', ') || '0'
}

function startStorm(server: BenchServer, statuses: Record<string, number>) {
  const { emails, password } = server.holdings
  let raging = true
  let next = 0
  const signers = Array.from({ length: SIGN_INS_AT_ONCE }, async () => {
    while (raging) {
      const status = await signIn(server.url, emails[next++ % emails.length], password)
      statuses[status] = (statuses[status] ?? 0) + 1
    }
  })
  return {
    async end() {
      raging = false
      await Promise.all(signers)
    },
  }
}

/**
 * Signs in and returns the status.
 */
export async function signIn(server: string, email: string, password: string): Promise<number> {
  const { status } = await post(`${server}/api/v1/auth/login`, { email, password })
  return status
}
