import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileApplication } from '../harness/compiled.js'
import { freePort } from '../harness/ports.js'
import { startPostgres, type TestPostgres } from '../harness/postgres.js'
import type { Holdings } from './seed.js'

export const DATABASES = ['sqlite', 'postgres'] as const
export type Database = (typeof DATABASES)[number]

export type BenchServer = { url: string; holdings: Holdings; process: ChildProcess; env: Env }
type Env = Record<string, string>

/**
 * What the servers of one run need: the compiled application, a directory for their databases and
 * a PostgreSQL that writes as durably as in production.
 */
export class Workshop {
  readonly #build = compileApplication()
  readonly #data = mkdtempSync(join(tmpdir(), 'latchkey-bench-'))
  readonly #servers = new Set<ChildProcess>()
  #postgres?: TestPostgres
  #databases = 0

  /**
   * Starts a server in production mode on a new database that holds so many live tokens.
   */
  async startServer(
    database: Database,
    liveTokens = 1_000,
    guardedTokens = 0
  ): Promise<BenchServer> {
    const port = await freePort()
    const name = `bench_${++this.#databases}`
    const env: Env = {
      NODE_ENV: 'production',
      TZ: 'UTC',
      HOST: '127.0.0.1',
      PORT: String(port),
      APP_KEY: 'a-key-for-the-benchmark-and-nothing-else',
      APP_URL: 'http://localhost:3333',
      LOG_LEVEL: 'error',
      DB_CONNECTION: database,
      BENCH_LIVE_TOKENS: String(liveTokens),
      BENCH_GUARDED_TOKENS: String(guardedTokens),
    }
    if (database === 'sqlite') env.SQLITE_FILE = join(this.#data, `${name}.sqlite3`)
    else {
      this.#postgres ??= await startPostgres({ durable: true })
      env.DATABASE_URL = await this.#postgres.createDatabase(name)
    }

    const child = spawn(process.execPath, ['tests/bench/server.js'], {
      cwd: this.#build,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    })
    this.#servers.add(child)
    const holdings = await new Promise<Holdings>((resolve, reject) => {
      child.on('message', (message: { holdings?: Holdings }) => {
        if (message.holdings) resolve(message.holdings)
      })
      child.once('exit', () => reject(new Error('A server of the benchmark ended at its start.')))
    })
    return { url: `http://127.0.0.1:${port}`, holdings, process: child, env }
  }

  /**
   * Starts a service that is guarded (guarded_app.ts) and waits until it listens.
   */
  async startApp(args: string[], env: Env): Promise<{ url: string; process: ChildProcess }> {
    const port = await freePort()
    const child = spawn(process.execPath, ['tests/bench/guarded_app.js', ...args], {
      cwd: this.#build,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env, PORT: String(port) },
    })
    this.#servers.add(child)
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('A guarded service ended.'))),
    ])
    return { url: `http://127.0.0.1:${port}`, process: child }
  }

  /**
   * Runs an ace command of the compiled application on a server's database. Returns its exit code.
   */
  async runCommand(server: BenchServer, args: string[]): Promise<number> {
    const child = spawn(process.execPath, ['bin/console.js', ...args], {
      cwd: this.#build,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...server.env },
    })
    const [code] = await once(child, 'exit')
    return code
  }

  async stopServer(server: BenchServer): Promise<void> {
    this.#servers.delete(server.process)
    await stop(server.process)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers].map(stop))
    await this.#postgres?.stop()
    rmSync(this.#build, { recursive: true, force: true })
    rmSync(this.#data, { recursive: true, force: true })
  }
}

async function stop(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
