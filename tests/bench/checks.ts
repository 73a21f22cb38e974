import { figure, number, spread, table, type Figure } from './figures.js'
import { drive } from './load.js'
import type { Plan } from './plan.js'
import type { BenchServer, Database, Workshop } from './servers.js'

/**
 * What is asked for, with whose tokens, and by which variant's rate its own is divided into: the
 * four small answers into Latchkey's, and those with the body of an account into the route's.
 */
const VARIANTS = {
  none: { name: 'no check', path: '/bench/none', tokens: 'jwt', subject: 'latchkey' },
  jwt: { name: 'JWT (HS256)', path: '/bench/jwt', tokens: 'jwt', subject: 'latchkey' },
  stock: {
    name: 'stock token guard',
    path: '/bench/stock',
    tokens: 'stock',
    subject: 'latchkey',
  },
  latchkey: { name: 'Latchkey', path: '/bench/latchkey', tokens: 'latchkey', subject: 'latchkey' },
  accountUnchecked: {
    name: 'no check, same answer body',
    path: '/bench/account-unchecked',
    tokens: 'latchkey',
    subject: 'account',
  },
  account: {
    name: 'GET /api/v1/account',
    path: '/api/v1/account',
    tokens: 'latchkey',
    subject: 'account',
  },
} as const
type Variant = keyof typeof VARIANTS

const NAMES = Object.keys(VARIANTS) as Variant[]

const CONNECTIONS = [1, 32, 128]

type Measured = {
  rate: Figure
  p50: Figure
  p99: Figure
  failures: Record<string, number>
  /** The rate of `subject` in times of this variant's. */
  ratio: { subject: Variant; value: number }
}

/**
 * The same small answer behind four checks, on one server. Beside them a real route, whose answer
 * costs more than its check, and the same answer without a check.
 */
export async function compareChecks(workshop: Workshop, database: Database, plan: Plan) {
  const server = await workshop.startServer(database)
  await compareAnswers(server)
  const results: Record<string, Record<Variant, Measured>> = {}
  for (const connections of CONNECTIONS) {
    const outcomes = await plan.interleave(NAMES, (variant) =>
      drive({
        url: `${server.url}${VARIANTS[variant].path}`,
        tokens: server.holdings.tokens[VARIANTS[variant].tokens],
        connections,
        seconds: plan.seconds,
      })
    )
    const rates = Object.fromEntries(
      NAMES.map((variant) => [variant, figure(outcomes.get(variant)!.map((run) => run.rate))])
    )
    const measured = NAMES.map((variant): [Variant, Measured] => {
      const runs = outcomes.get(variant)!
      const { subject } = VARIANTS[variant]
      return [
        variant,
        {
          rate: rates[variant],
          p50: figure(runs.map((run) => run.p50)),
          p99: figure(runs.map((run) => run.p99)),
          failures: Object.assign({}, ...runs.map((run) => run.failures)),
          ratio: { subject, value: rates[subject].median / rates[variant].median },
        },
      ]
    })
    results[connections] = Object.fromEntries(measured) as Record<Variant, Measured>
  }
  await workshop.stopServer(server)

  for (const connections of CONNECTIONS) {
    const lines = NAMES.map((variant) => {
      const { rate, p50, p99, ratio, failures } = results[connections][variant]
      return [
        VARIANTS[variant].name,
        spread(rate),
        number(p50.median, 2),
        number(p99.median, 2),
        `${VARIANTS[ratio.subject].name} is ${number(ratio.value, 2)} × this`,
        Object.entries(failures)
          .map(([kind, count]) => `${count} × ${kind}`)
          .join(', ') || '0',
      ]
    })
    plan.print(`Checks on ${database}, ${connections} connection${connections > 1 ? 's' : ''}`)
    plan.print(
      table(['check', 'requests/s', 'p50 ms', 'p99 ms', 'ratio of rates', 'failures'], lines)
    )
  }
  return results
}

/**
 * Throws unless the route and its variant without a check say the same, except for what differs
 * from user to user and from minute to minute. Else their ratio would mean nothing.
 */
async function compareAnswers({ url, holdings }: BenchServer) {
  const ask = async (path: string) => {
    const headers = { authorization: `Bearer ${holdings.tokens.latchkey[0]}` }
    const response = await fetch(`${url}${path}`, { headers })
    return JSON.stringify(await response.json(), (key, value) =>
      ['id', 'email', 'createdAt', 'lastSeenAt', 'expiresAt'].includes(key) ? typeof value : value
    )
  }
  const [checked, unchecked] = [
    await ask(VARIANTS.account.path),
    await ask(VARIANTS.accountUnchecked.path),
  ]
  if (checked !== unchecked) {
    throw new Error(`The answers of an account differ: ${checked} and ${unchecked}.`)
  }
}
