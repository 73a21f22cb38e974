import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'
import { startPostgres, type TestPostgres } from './postgres.js'

let running: TestPostgres | undefined

/**
 * The PostgreSQL that this run started, for tests that take it down.
 */
export const ownPostgres = () => running

/**
 * Sets the environment of a test run before the application reads it: a database of its own
 * (`DB_CONNECTION=postgres` starts a real PostgreSQL unless `TEST_DATABASE_URL` names one), a free
 * port, no rate limits, and nothing of the developer's `.env`. Returns what cleans up afterwards.
 */
export async function prepareEnvironment(): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-test-'))
  const usesPostgres = process.env.DB_CONNECTION === 'postgres'
  const postgres =
    usesPostgres && !process.env.TEST_DATABASE_URL ? await startPostgres() : undefined
  running = postgres

  Object.assign(process.env, {
    NODE_ENV: 'test',
    TZ: 'UTC',
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    APP_URL: 'http://localhost:3333',
    APP_KEY: 'a-key-for-tests-and-nothing-else-0123456789',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    DB_CONNECTION: usesPostgres ? 'postgres' : 'sqlite',
    SQLITE_FILE: join(directory, 'latchkey.sqlite3'),
    DATABASE_URL: process.env.TEST_DATABASE_URL ?? postgres?.url ?? '',
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
    rmSync(directory, { recursive: true, force: true })
  }
}
