import { parseArgs } from 'node:util'
import { ended, start } from '../ready/node.js'

const USAGE = `npm run test:chaos -- [options]

  --minutes=10          how long, in all
  --db=sqlite           sqlite or postgres
  --seed=NUMBER         repeats the choices of a run; a random one by default
  --limit=1             sessions per user
  --lifetimes=both      long:  no session lives to its end by time; clocks step by up to 2 s
                        short: idle after 6 s, over after 30 s; sessions are used at the edge of
                               both, with ends of every kind and prune in between
                        both:  half of the minutes each, one after the other`

/**
 * The long chaos run: `npm run test:chaos -- --minutes=10 --db=postgres --seed=7 --limit=1`.
 */
const { values } = readArguments()
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}

console.log(
  `Chaos on ${values.db} for ${values.minutes} minutes, seed ${values.seed}, ` +
    `lifetimes ${values.lifetimes}`
)
const child = start(['--import=@poppinss/ts-exec', 'bin/test.ts', 'chaos'], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    ...process.env,
    DB_CONNECTION: values.db,
    CHAOS_MINUTES: values.minutes,
    CHAOS_SEED: values.seed,
    CHAOS_LIMIT: values.limit,
    CHAOS_LIFETIMES: values.lifetimes,
  },
})
process.exitCode = await ended(child)

function readArguments() {
  try {
    const parsed = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        db: { type: 'string', default: 'sqlite' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        limit: { type: 'string', default: '1' },
        lifetimes: { type: 'string', default: 'both' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const { lifetimes } = parsed.values
    if (['long', 'short', 'both'].includes(lifetimes)) return parsed
    console.error(`--lifetimes is long, short or both, not ${lifetimes}.`)
  } catch (error) {
    console.error(error.message)
  }
  console.error(USAGE)
  process.exit(2)
}
