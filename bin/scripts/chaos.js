import { parseArgs } from 'node:util'
import { ended, start } from '../ready/node.js'

/**
 * The long chaos run: `npm run test:chaos -- --minutes=10 --db=postgres --seed=7 --limit=1`.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    db: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    limit: { type: 'string', default: '1' },
  },
})

console.log(`Chaos on ${values.db} for ${values.minutes} minutes, seed ${values.seed}`)
const child = start(['--import=@poppinss/ts-exec', 'bin/test.ts', 'chaos'], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    ...process.env,
    DB_CONNECTION: values.db,
    CHAOS_MINUTES: values.minutes,
    CHAOS_SEED: values.seed,
    CHAOS_LIMIT: values.limit,
  },
})
process.exitCode = await ended(child)
