import { appendFileSync, chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { runPostgresTool } from './debian_postgres.js'
import { freePort } from './ports.js'
import { until } from './until.js'

/**
 * One of two servers, each of which can be the other's standby.
 */
export type Member = {
  url: string
  port: number
  query(sql: string): Promise<any[]>
  start(): Promise<void>
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  promote(): Promise<void>
  /** Throws away what it holds, and follows another one. It is stopped. */
  follow(other: Member): Promise<void>
}

/**
 * An address that stays while what is behind it moves: what a virtual address, a name or a proxy is in
 * a deployment.
 */
export type Switch = {
  /** Connection string of the database, wherever it is. */
  url: string
  /** New connections lead there. `cut`: those that are open are closed. */
  moveTo(member: Member, options: { cut: boolean }): void
  close(): Promise<void>
}

export type Pair = {
  primary: Member
  standby: Member
  address: Switch
  /** Shuts the primary down, or has it crash, and starts it again. */
  restart(downFor?: number, options?: { crash?: boolean }): Promise<void>
  /**
   * Promotes the standby, leads the address there, and makes the old primary the new standby. `stopped`:
   * the old primary stops before; or else it turns read-only, and connections to it stay.
   */
  failOver(options: { stopped: boolean }): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts PostgreSQL 15 with a synchronous standby, and an address that leads to the primary.
 */
export async function startPair(): Promise<Pair> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-pair-'))
  chmodSync(directory, 0o777)
  const primary = await makeMember(directory, 'primary', (data) =>
    runPostgresTool('initdb', '-D', data, '-U', 'latchkey', '-A', 'trust', '--locale=C', '-N')
  )
  await primary.start()
  const admin = new pg.Client({ connectionString: primary.url.replace(/latchkey$/, 'postgres') })
  await admin.connect()
  await admin.query(`CREATE DATABASE latchkey ENCODING 'UTF8' TEMPLATE template0`)
  await admin.end()

  const standby = await makeMember(directory, 'standby', (data) => copy(primary, data))
  await standby.start()
  await primary.query(`ALTER SYSTEM SET synchronous_commit = 'remote_apply'`)
  await waitForStandby(primary)

  const address = await startSwitch(primary)
  const pair: Pair = {
    primary,
    standby,
    address,
    async restart(downFor = 0, { crash = false } = {}) {
      await this.primary.stop(crash ? 'immediate' : 'fast')
      await new Promise((resolve) => setTimeout(resolve, downFor))
      await this.primary.start()
    },
    async failOver({ stopped }) {
      const { primary: old, standby: next } = this
      if (stopped) await old.stop('immediate')
      else await set(old, 'default_transaction_read_only', 'on')
      await next.promote()
      address.moveTo(next, { cut: stopped })
      this.primary = next
      this.standby = old
      await set(next, 'synchronous_standby_names', '')
      if (!stopped) await old.stop('immediate')
      await old.follow(next)
      await old.start()
      await waitForStandby(next)
    },
    async stop() {
      await address.close()
      await Promise.all([primary, standby].map((one) => one.stop('immediate').catch(() => {})))
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return pair
}

function copy(source: Member, data: string): Promise<unknown> {
  const from = `host=127.0.0.1 port=${source.port} user=latchkey application_name=standby`
  const how = ['-R', '-X', 'stream', '-N', '-c', 'fast']
  return runPostgresTool('pg_basebackup', '-D', data, '-d', from, ...how)
}

async function set(member: Member, name: string, value: string): Promise<void> {
  await member.query(`ALTER SYSTEM SET ${name} = '${value}'`)
  await member.query('SELECT pg_reload_conf()')
}

async function waitForStandby(primary: Member): Promise<void> {
  await set(primary, 'synchronous_standby_names', 'standby')
  await untilSynchronous(primary)
}

/**
 * Resolves when every COMMIT of the primary waits for its standby.
 */
export function untilSynchronous(primary: Member): Promise<void> {
  return until(
    async () => {
      const found = await primary.query(`SELECT sync_state FROM pg_stat_replication`)
      return found.some(({ sync_state: state }) => state === 'sync')
    },
    'the standby follows',
    30_000
  )
}

async function makeMember(
  directory: string,
  name: string,
  fill: (data: string) => Promise<unknown>
): Promise<Member> {
  const data = join(directory, name)
  const port = await freePort()
  const configure = () =>
    appendFileSync(
      join(data, 'postgresql.conf'),
      `\nport = ${port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n`
    )
  await fill(data)
  configure()
  const url = `postgres://latchkey@127.0.0.1:${port}/latchkey`
  const control = (...args: string[]) => runPostgresTool('pg_ctl', '-w', '-D', data, ...args)
  return {
    url,
    port,
    async query(sql) {
      const client = new pg.Client({ connectionString: url })
      client.on('error', () => {})
      await client.connect()
      try {
        await client.query('SET default_transaction_read_only = off')
        const { rows } = await client.query(sql)
        return rows
      } finally {
        await client.end()
      }
    },
    start: async () => void (await control('-l', join(directory, `${name}.log`), 'start')),
    stop: async (mode = 'fast') => void (await control('-m', mode, 'stop')),
    promote: async () => void (await control('promote')),
    async follow(other) {
      rmSync(data, { recursive: true, force: true })
      await copy(other, data)
      configure()
    },
  }
}

async function startSwitch(first: Member): Promise<Switch> {
  let { port } = first
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    const there = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ]) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cutAll = () => open.forEach((socket) => socket.destroy())
  return {
    url: `postgres://latchkey@127.0.0.1:${(server.address() as AddressInfo).port}/latchkey`,
    moveTo(member, { cut }) {
      port = member.port
      if (cut) cutAll()
    },
    async close() {
      server.close()
      cutAll()
    },
  }
}
