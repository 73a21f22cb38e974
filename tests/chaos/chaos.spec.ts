import { test } from '@japa/runner'
import { emptyDatabase } from '../harness/database.js'
import { runChaos, type ChaosReport } from './run.js'

/**
 * `npm run test:chaos` says how long, with which seed, limit and lifetimes; by itself it is a short
 * run.
 */
const minutes = Number(process.env.CHAOS_MINUTES ?? 0)
const seed = Number(process.env.CHAOS_SEED ?? 1)
const isLong = minutes > 0

type Run = {
  title: string
  limit: number
  forMs: number
  lifetimes?: { idle: number; max: number }
  /** Milliseconds between faults of each kind, and between commands. */
  faultEvery: number
  commandEvery: number
}

const SHORT_RUNS: Run[] = [
  { title: 'a limit of 1', limit: 1, forMs: 3_000, faultEvery: 1_200, commandEvery: 0 },
  {
    title: 'a limit of 2 and short lifetimes',
    limit: 2,
    forMs: 9_000,
    lifetimes: { idle: 2_500, max: 6_000 },
    faultEvery: 2_500,
    commandEvery: 0,
  },
]

/**
 * With long lifetimes and with short ones, for half of the time each, or only with one of them.
 */
function longRuns(): Run[] {
  const limit = Number(process.env.CHAOS_LIMIT ?? 1)
  const asked = process.env.CHAOS_LIFETIMES ?? 'both'
  const forMs = (minutes * 60_000) / (asked === 'both' ? 2 : 1)
  const runs: Record<string, Run> = {
    long: { title: 'long lifetimes', limit, forMs, faultEvery: 8_000, commandEvery: 30_000 },
    short: {
      title: 'short lifetimes',
      limit,
      forMs,
      lifetimes: { idle: 6_000, max: 30_000 },
      faultEvery: 8_000,
      commandEvery: 5_000,
    },
  }
  return Object.keys(runs)
    .filter((name) => asked === 'both' || asked === name)
    .map((name) => runs[name])
}

/**
 * The seed, and for each promise that is broken the shortest history that shows it.
 */
function describe({ violations, errors }: ChaosReport): string {
  const shown = [...Map.groupBy(violations, ({ promise }) => promise).values()].map((broken) => {
    const { promise, says, calls } = broken.find((one) => one.calls.length > 0) ?? broken[0]
    const history = [...calls].sort((one, other) => one.start - other.start)
    const lines = history.map((call) => `    ${JSON.stringify(call)}`)
    return [`  ${promise}: ${says} (and ${broken.length - 1} more)`, ...lines].join('\n')
  })
  const logged = errors.slice(0, 5).map((line) => `  logged: ${line}`)
  return `seed ${seed}: ${violations.length} violations\n${[...shown, ...logged].join('\n')}\n`
}

test.group('Chaos', (group) => {
  group.each.setup(() => emptyDatabase())

  for (const { title, ...run } of isLong ? longRuns() : SHORT_RUNS) {
    test(`every promise holds, with ${title}, whatever strikes`, async ({ assert }) => {
      const report = await runChaos({ seed, ...run })
      if (isLong) console.log(JSON.stringify({ ...report, violations: undefined }, null, 2))
      assert.lengthOf(report.violations, 0, describe(report))
      assert.isAbove(report.calls, 50)
    }).timeout(2 * run.forMs + 300_000)
  }
})
