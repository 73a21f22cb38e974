import { test } from '@japa/runner'
import { emptyDatabase } from '../harness/database.js'
import { runChaos, type ChaosReport } from './run.js'

/**
 * `npm run test:chaos` says how long, with which seed and limit; by itself it is a short run.
 */
const minutes = Number(process.env.CHAOS_MINUTES ?? 0)
const seed = Number(process.env.CHAOS_SEED ?? 1)
const isLong = minutes > 0

const limits = isLong ? [Number(process.env.CHAOS_LIMIT ?? 1)] : [1, 2]
const forMs = isLong ? minutes * 60_000 : 4_000

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

  test('every promise holds, with a limit of {$self}, whatever strikes')
    .with(limits)
    .run(async ({ assert }, limit) => {
      const rhythm = isLong
        ? { faultEvery: 8_000, commandEvery: 30_000 }
        : { faultEvery: 1_200, commandEvery: 0 }
      const report = await runChaos({ seed, forMs, limit, ...rhythm })
      if (isLong) console.log(JSON.stringify({ ...report, violations: undefined }, null, 2))
      assert.lengthOf(report.violations, 0, describe(report))
      assert.isAbove(report.calls, 50)
    })
    .timeout(forMs + 180_000)
})
