import { test } from '@japa/runner'
import { emptyDatabase } from '../harness/database.js'
import type { Violation } from './checker.js'
import { runChaos } from './run.js'

const minutes = Number(process.env.CHAOS_MINUTES ?? 0)
const seed = Number(process.env.CHAOS_SEED ?? 1)
const forMs = minutes > 0 ? minutes * 60_000 : 7_000

/**
 * The seed, and the shortest history that shows each fault.
 */
function describe(violations: Violation[]): string {
  const shown = violations.slice(0, 5).map(({ promise, says, calls }) => {
    const history = calls.map((call) => `    ${JSON.stringify(call)}`)
    return [`  ${promise}: ${says}`, ...history].join('\n')
  })
  return `seed ${seed}: ${violations.length} violations\n${shown.join('\n')}`
}

test.group('Chaos', (group) => {
  group.each.setup(() => emptyDatabase())

  test('every promise holds, a limit of {$self}, whatever strikes')
    .with(minutes > 0 ? [Number(process.env.CHAOS_LIMIT ?? 1)] : [1])
    .run(async ({ assert }, limit) => {
      const report = await runChaos({ seed, forMs, limit, faultEvery: minutes > 0 ? 6_000 : 2_000 })
      if (minutes > 0) console.log(JSON.stringify({ ...report, violations: undefined }, null, 2))
      assert.lengthOf(report.violations, 0, describe(report.violations))
      assert.isAbove(report.calls, 50)
    })
    .timeout(forMs + 120_000)
})
