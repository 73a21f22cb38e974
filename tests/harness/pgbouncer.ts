import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'

const PROGRAM = '/usr/sbin/pgbouncer'

/**
 * `nobody` on every Linux: PgBouncer refuses to run as root.
 */
const NOBODY = 65534

/**
 * Why a test that needs PgBouncer can't run here; false where it can.
 */
export function pgBouncerIsMissing(): string | false {
  if (process.env.DB_CONNECTION !== 'postgres') return 'is about PostgreSQL'
  const { status } = spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' })
  return status === 0 ? false : 'PgBouncer is not installed: apt-get install pgbouncer'
}

/**
 * The section of PgBouncer's configuration that a page of the documentation shows for a mode.
 */
function documented(mode: 'session' | 'transaction'): string {
  const page = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8')
  const [, section] = new RegExp('```ini\\n(; ' + mode + '\\n.+?)```', 's').exec(page) ?? []
  if (!section) throw new Error(`docs/deployment.md shows no PgBouncer for ${mode} mode`)
  return section
}

export type PgBouncer = { url: string; stop(): Promise<void> }

/**
 * Starts a real PgBouncer, as documented for the mode, in front of the server that the URL names.
 * `poolSize` is how many connections it opens: few, so that its clients have to share them.
 */
export async function startPgBouncer(
  target: string,
  mode: 'session' | 'transaction',
  poolSize: number
): Promise<PgBouncer> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-pgbouncer-'))
  chmodSync(directory, 0o755)
  const { hostname, port, username, password, pathname } = new URL(target)
  const ownPort = await freePort()
  const name = pathname.slice(1)
  const users = join(directory, 'userlist.txt')
  writeFileSync(users, `"${username}" "${password}"\n`)
  const configuration = documented(mode)
    .replace(/^latchkey = .+$/m, `${name} = host=${hostname} port=${port} dbname=${name}`)
    .replace(/^default_pool_size = .+$/m, `default_pool_size = ${poolSize}`)
    .replace(/^auth_file = .+$/m, `auth_file = ${users}`)
  const file = join(directory, 'pgbouncer.ini')
  writeFileSync(
    file,
    `${configuration}
     listen_addr = 127.0.0.1
     listen_port = ${ownPort}
     unix_socket_dir =
     auth_type = plain
    `
  )
  const root = process.getuid?.() === 0
  const child = spawn(PROGRAM, [file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(root && { uid: NOBODY, gid: NOBODY }),
  })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  await untilListening(ownPort, child, () => said)
  const url = new URL(target)
  url.port = String(ownPort)
  return {
    url: url.href,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.kill('SIGTERM')
        await exited
      }
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function untilListening(port: number, child: ChildProcess, said: () => string) {
  const deadline = Date.now() + 20_000
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended at its start:\n${said()}`)
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () =>
        resolve(false)
      )
      socket.on('connect', () => socket.destroy())
    })
    if (answers) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`PgBouncer did not answer:\n${said()}`)
}
