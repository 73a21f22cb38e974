import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'

/**
 * Whether this machine has a MariaDB.
 */
export function hasMariadb(): boolean {
  return spawnSync('mariadbd', ['--version']).status === 0
}

/**
 * Starts a real MariaDB with an empty database, in a new directory on a free port.
 */
export async function startMariadb() {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-mariadb-'))
  const root = process.getuid?.() === 0
  const user = root ? ['--user=mysql'] : []
  if (root) {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'mysql'], { encoding: 'utf8' }))
    chownSync(directory, id('-u'), id('-g'))
  }
  const data = `--datadir=${join(directory, 'data')}`
  const made = spawnSync(
    'mariadb-install-db',
    ['--no-defaults', ...user, data, '--auth-root-authentication-method=normal', '--skip-test-db'],
    { encoding: 'utf8' }
  )
  if (made.status !== 0) throw new Error(`MariaDB made no database:\n${made.stdout}${made.stderr}`)
  const port = await freePort()
  let output = ''
  const child = spawn(
    'mariadbd',
    [
      '--no-defaults',
      ...user,
      data,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(directory, 'socket')}`,
      '--innodb-flush-log-at-trx-commit=0',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] }
  )
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`MariaDB ended at its start:\n${output}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
        if (/ready for connections/.test(output)) resolve()
      })
    }
  })
  await ready
  execFileSync('mariadb', [
    ...['--no-defaults', `--socket=${join(directory, 'socket')}`, '-uroot', '-e'],
    `CREATE DATABASE old; CREATE USER old@'127.0.0.1' IDENTIFIED BY 'old'; GRANT ALL ON old.* TO old@'127.0.0.1'`,
  ])
  return {
    url: `mysql://old:old@127.0.0.1:${port}/old`,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
