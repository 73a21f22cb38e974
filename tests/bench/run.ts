/*
|--------------------------------------------------------------------------
| Benchmark
|--------------------------------------------------------------------------
|
| npm run bench -- [--quick] [--only=checks|storm|scale|signin|refresh|ending|guards]
|                  [--database=sqlite|postgres] [--json FILE]
|
*/

import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { compareChecks } from './checks.js'
import { measureEnding } from './ending.js'
import { compareGuards } from './guards.js'
import { Plan } from './plan.js'
import { compareRefresh } from './refresh.js'
import { compareScales } from './scale.js'
import { DATABASES, Workshop, type Database } from './servers.js'
import { compareSignIn } from './sign_in.js'
import { compareStorm } from './storm.js'

const SECTIONS = {
  checks: compareChecks,
  storm: compareStorm,
  scale: compareScales,
  signin: compareSignIn,
  refresh: compareRefresh,
  ending: measureEnding,
  guards: compareGuards,
}
type Section = keyof typeof SECTIONS

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    database: { type: 'string' },
    json: { type: 'string' },
  },
})
const sections = choose('only', Object.keys(SECTIONS) as Section[], values.only)
const databases = choose<Database>('database', DATABASES, values.database)

const print = (text: string) => process.stdout.write(`${text}\n\n`)
const plan = values.quick
  ? new Plan(3, 1, [1_000, 100_000], print)
  : new Plan(5, 3, [1_000, 100_000, 1_000_000], print)

const machine = {
  cpu: cpus()[0]?.model,
  cores: availableParallelism(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
}
print(
  `${machine.cores} cores (${machine.cpu}), Node.js ${machine.node}, ${machine.platform}. Medians of ${plan.rounds} interleaved runs of ${plan.seconds} s (least–most).`
)

const results: Record<string, Record<string, unknown>> = {}
const workshop = new Workshop()
try {
  for (const database of databases) {
    results[database] = {}
    for (const section of sections) {
      results[database][section] = await SECTIONS[section](workshop, database, plan)
    }
  }
} finally {
  await workshop.close()
}

if (values.json) {
  const { rounds, seconds } = plan
  writeFileSync(values.json, `${JSON.stringify({ machine, rounds, seconds, results }, null, 2)}\n`)
}

/**
 * The one that an option names, or all. Ends the process when there is no such one.
 */
function choose<Name extends string>(
  option: string,
  names: readonly Name[],
  wanted?: string
): readonly Name[] {
  if (wanted === undefined) return names
  const found = names.find((name) => name === wanted)
  if (found) return [found]
  console.error(`--${option} is one of ${names.join(', ')}.`)
  process.exit(2)
}
