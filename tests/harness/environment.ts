import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'
import { LACKS_DEBIAN_POSTGRES } from './debian_postgres.js'
import { startPostgres, type TestPostgres } from './postgres.js'
import { startPair, type Pair } from './standby.js'

let running: TestPostgres | undefined
let pair: Pair | undefined

/**
 * The PostgreSQL that this run started, for tests that take it down.
 */
export const ownPostgres = () => running

/**
 * What a run of test:chaos started: a primary with a synchronous standby, where Debian's PostgreSQL is.
 */
export const ownPair = () => pair

/**
 * Sets the environment of a test run before the application reads it: a database of its own
 * (`DB_CONNECTION=postgres` starts a real PostgreSQL unless `TEST_DATABASE_URL` names one), a free
 * port, no rate limits, and nothing of what the developer's `.env` or terminal configure. Returns what cleans up afterwards.
 */
export async function prepareEnvironment(): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-test-'))
  const usesPostgres = process.env.DB_CONNECTION === 'postgres'
  const isOwn = usesPostgres && !process.env.TEST_DATABASE_URL
  if (isOwn && process.env.CHAOS_MINUTES && !LACKS_DEBIAN_POSTGRES) pair = await startPair()
  const postgres = isOwn && !pair ? await startPostgres() : undefined
  running = postgres

  const { LOG_LEVEL = 'silent' } = process.env
  for (const name of variables()) delete process.env[name]
  Object.assign(process.env, {
    NODE_ENV: 'test',
    ENV_PATH: directory,
    TZ: 'UTC',
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    APP_URL: 'http://localhost:3333',
    APP_KEY: 'a-key-for-tests-and-nothing-else-0123456789',
    LOG_LEVEL,
    DB_CONNECTION: usesPostgres ? 'postgres' : 'sqlite',
    SQLITE_FILE: join(directory, 'latchkey.sqlite3'),
    DATABASE_URL: usesPostgres
      ? (process.env.TEST_DATABASE_URL ?? pair?.address.url ?? postgres!.url)
      : '',
    DATABASE_DIRECT_URL: '',
    DATABASE_POOLER: '',
    SMTP_HOST: '',
    NOTIFY_NEW_DEVICE: 'off',
    METRICS_TOKEN: 'metrics-token-of-the-tests',
    RATE_LIMIT_SIGN_IN: 'off',
    RATE_LIMIT_SIGN_UP: 'off',
    RATE_LIMIT_REFRESH: 'off',
    RATE_LIMIT_RESET: 'off',
    RATE_LIMIT_INTROSPECT: 'off',
    // Without a terminal, each ace command would start programs to ask how wide it is.
    COLUMNS: '80',
    LINES: '24',
  })

  return async () => {
    await postgres?.stop()
    await pair?.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/**
 * The names of all that configures the application (tests/unit/environment.spec.ts).
 */
function variables(): string[] {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')
  return Array.from(example.matchAll(/^([A-Z_]+)=/gm), ([, name]) => name)
}
