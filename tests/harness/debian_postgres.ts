import { execFile, execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './ports.js'

const run = promisify(execFile)

/**
 * PostgreSQL as Debian 12 packages it (`postgresql-15`), with its tools, which the one from npm lacks.
 */
const BIN = '/usr/lib/postgresql/15/bin'

export const LACKS_DEBIAN_POSTGRES = existsSync(join(BIN, 'pg_restore'))
  ? false
  : 'PostgreSQL 15 of Debian is not installed: apt-get install postgresql-15'

/**
 * It refuses to run as root.
 */
const owner =
  process.getuid?.() === 0 && !LACKS_DEBIAN_POSTGRES
    ? {
        uid: Number(execFileSync('id', ['-u', 'postgres'], { encoding: 'utf8' })),
        gid: Number(execFileSync('id', ['-g', 'postgres'], { encoding: 'utf8' })),
      }
    : {}

/**
 * Runs a tool and gives what it printed.
 */
export async function runPostgresTool(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(join(BIN, name), args, { ...owner, cwd: tmpdir() })
  return stdout
}

/**
 * Starts a new cluster on a free port of the loopback interface, with an empty database.
 */
export async function startDebianPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-debian-postgres-'))
  if ('uid' in owner) chownSync(directory, owner.uid, owner.gid)
  const data = join(directory, 'data')
  const port = await freePort()
  await runPostgresTool('initdb', '-D', data, '-U', 'latchkey', '-A', 'trust', '--locale=C', '-N')
  const settings = `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`
  const log = join(directory, 'log')
  await runPostgresTool('pg_ctl', 'start', '-w', '-D', data, '-l', log, '-o', settings)
  const url = `postgres://latchkey@127.0.0.1:${port}/latchkey`
  await runPostgresTool(
    'createdb',
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-U',
    'latchkey',
    'latchkey'
  )
  return {
    url,
    async stop() {
      await runPostgresTool('pg_ctl', 'stop', '-w', '-m', 'immediate', '-D', data)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
