import { figure, number, spread, table, type Figure } from './figures.js'
import { drive } from './load.js'
import type { Plan } from './plan.js'
import type { Database, Workshop } from './servers.js'

const VARIANTS = ['none', 'jwt', 'stock', 'latchkey'] as const
type Variant = (typeof VARIANTS)[number]

const NAMES: Record<Variant, string> = {
  none: 'no check',
  jwt: 'JWT (HS256)',
  stock: 'stock token guard',
  latchkey: 'Latchkey',
}

const CONNECTIONS = [1, 32, 128]

type Measured = { rate: Figure; p50: Figure; p99: Figure; failures: Record<string, number> }

/**
 * The same small answer behind four checks, on one server.
 */
export async function compareChecks(workshop: Workshop, database: Database, plan: Plan) {
  const server = await workshop.startServer(database)
  const results: Record<string, Record<Variant, Measured>> = {}
  for (const connections of CONNECTIONS) {
    const outcomes = await plan.interleave(VARIANTS, (variant) =>
      drive({
        url: `${server.url}/bench/${variant}`,
        tokens: server.holdings.tokens[variant === 'none' ? 'jwt' : variant],
        connections,
        seconds: plan.seconds,
      })
    )
    const measured = VARIANTS.map((variant) => {
      const runs = outcomes.get(variant)!
      return [
        variant,
        {
          rate: figure(runs.map((run) => run.rate)),
          p50: figure(runs.map((run) => run.p50)),
          p99: figure(runs.map((run) => run.p99)),
          failures: Object.assign({}, ...runs.map((run) => run.failures)),
        },
      ]
    })
    results[connections] = Object.fromEntries(measured)
  }
  await workshop.stopServer(server)

  for (const connections of CONNECTIONS) {
    const { none, jwt, stock, latchkey } = results[connections]
    const lines = Object.entries({ none, jwt, stock, latchkey }).map(([variant, measured]) => [
      NAMES[variant as Variant],
      spread(measured.rate),
      number(measured.p50.median, 2),
      number(measured.p99.median, 2),
      `${number(latchkey.rate.median / measured.rate.median, 2)} ×`,
      Object.entries(measured.failures)
        .map(([kind, count]) => `${count} × ${kind}`)
        .join(', ') || '0',
    ])
    plan.print(`Checks on ${database}, ${connections} connection${connections > 1 ? 's' : ''}`)
    plan.print(table(['check', 'requests/s', 'p50 ms', 'p99 ms', 'Latchkey is', 'failures'], lines))
  }
  return results
}
