import { figure, number, spread, table } from './figures.js'
import { drive } from './load.js'
import type { Plan } from './plan.js'
import type { BenchServer, Database, Workshop } from './servers.js'

const CONNECTIONS = 32

/**
 * Seconds before the first run that counts: until the code of a server is compiled as in one that
 * has been up for a minute, it gets faster by half, which is more than what is looked for here.
 */
const WARM_UP = 15

/**
 * What a check costs while few or very many tokens are alive.
 */
export async function compareScales(workshop: Workshop, database: Database, plan: Plan) {
  const servers = new Map<number, BenchServer>()
  for (const scale of plan.scales) {
    servers.set(scale, await workshop.startServer(database, scale))
  }
  const measure = (scale: number, seconds = plan.seconds) => {
    const server = servers.get(scale)!
    return drive({
      url: `${server.url}/bench/latchkey`,
      tokens: server.holdings.tokens.latchkey,
      connections: CONNECTIONS,
      seconds,
    })
  }
  for (const scale of plan.scales) await measure(scale, WARM_UP)
  const outcomes = await plan.interleave(plan.scales, (scale) => measure(scale), 2)
  for (const server of servers.values()) await workshop.stopServer(server)

  const results = plan.scales.map((liveTokens) => {
    const runs = outcomes.get(liveTokens)!
    return {
      liveTokens,
      rate: figure(runs.map((run) => run.rate)),
      microseconds: figure(runs.map((run) => 1_000_000 / run.rate)),
      p50: figure(runs.map((run) => run.p50)),
    }
  })
  const [smallest] = results
  plan.print(`Cost of a check on ${database} by live tokens, ${CONNECTIONS} connections`)
  plan.print(
    table(
      ['live tokens', 'requests/s', 'µs a request', 'p50 ms', 'cost'],
      results.map((result) => [
        number(result.liveTokens),
        spread(result.rate),
        spread(result.microseconds, 1),
        number(result.p50.median, 2),
        `${number(result.microseconds.median / smallest.microseconds.median, 2)} ×`,
      ])
    )
  )
  return results
}
