import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { programOf } from './compiled.js'
import { freePort } from './ports.js'

export type TestServer = {
  /** `http://127.0.0.1:PORT` */
  url: string
  process: ChildProcess
  /** What it wrote to standard output and standard error. */
  output(): string
  /** Ends it the way an operator does, and waits. */
  stop(): Promise<void>
  /** Ends it the way a power cut does, and waits. */
  kill(): Promise<void>
}

/**
 * Starts a server in a process of its own, on the database of this test run unless `env` says
 * otherwise, and waits until it answers. `clockOffset` puts its clock so many milliseconds ahead.
 */
export async function startServer(
  options: { env?: Record<string, string>; clockOffset?: number; port?: number } = {}
): Promise<TestServer> {
  const port = options.port ?? (await freePort())
  const { cwd, args } = programOf('bin/server')
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      CLOCK_OFFSET_MS: String(options.clockOffset ?? 0),
      ...options.env,
      PORT: String(port),
    },
  })
  let output = ''
  child.stdout!.on('data', (chunk) => (output += chunk))
  child.stderr!.on('data', (chunk) => (output += chunk))

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  const url = `http://127.0.0.1:${port}`
  await untilAnswering(url, child, () => output)
  return {
    url,
    process: child,
    output: () => output,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/**
 * Several servers on one database.
 */
export function startServers(count: number, options: Parameters<typeof startServer>[0] = {}) {
  return Promise.all(Array.from({ length: count }, () => startServer(options)))
}

type Shared = { kind: string; servers: Promise<TestServer[]> }
let shared: Shared | undefined

/**
 * Servers like those of `startServers`, one for each of the options, that stay for the tests behind
 * that ask for the same: each of them costs more than most tests. They are not for tests that end
 * one, and the regular work of a server goes on in them. Asking for others ends them.
 */
export async function sharedServers(...options: Parameters<typeof startServer>[0][]) {
  const kind = JSON.stringify(options)
  if (shared?.kind !== kind) {
    await stopSharedServers()
    shared = { kind, servers: startAll(options) }
    const { servers } = shared
    servers.catch(() => (shared = undefined))
  }
  return shared.servers
}

/**
 * When one does not start, the others are ended.
 */
async function startAll(options: Parameters<typeof startServer>[0][]) {
  const started = await Promise.allSettled(options.map((one) => startServer(one)))
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (!failed) return servers
  await Promise.all(servers.map((server) => server.stop()))
  throw failed.reason
}

/**
 * Ends them, where a test wants no other process on the database, and behind the last test.
 */
export async function stopSharedServers(): Promise<void> {
  const servers = await shared?.servers.catch(() => [])
  shared = undefined
  await Promise.all((servers ?? []).map((server) => server.stop()))
}

async function untilAnswering(url: string, child: ChildProcess, output: () => string) {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`The server ended at its start:\n${output()}`)
    const answered = await fetch(url).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false
    )
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error(`The server did not answer within 60 seconds:\n${output()}`)
}
