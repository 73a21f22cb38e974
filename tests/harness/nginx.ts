import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './ports.js'

/**
 * Whether this machine has an nginx that can do `auth_request`.
 */
export function hasNginx(): boolean {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' })
  return String(stderr).includes('--with-http_auth_request_module')
}

/**
 * The configuration that a page of the documentation shows.
 */
export function configurationIn(page: URL): string {
  const [, configuration] = /```nginx\n(.+?)```/s.exec(readFileSync(page, 'utf8')) ?? []
  if (!configuration) throw new Error(`There is no nginx configuration in ${page}`)
  return configuration
}

/**
 * Starts a real nginx with what stands inside of `http {}`, on a free port in place of 8000, and
 * waits until it answers. The other replacements put addresses of the test where the documented
 * ones stand.
 */
export async function startNginx(configuration: string, replacements: Record<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-nginx-'))
  const port = await freePort()
  let http = configuration
  for (const [from, to] of Object.entries({
    'listen 8000': `listen 127.0.0.1:${port}`,
    ...replacements,
  })) {
    if (!http.includes(from)) throw new Error(`The configuration has no ${from}`)
    http = http.replace(from, to)
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join('\n')
  const file = join(directory, 'nginx.conf')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    file,
    `${user} daemon off; pid ${directory}/pid; worker_processes 1;
     events {} http { access_log off; ${temporary} ${http} }`
  )
  const errors = join(directory, 'error.log')
  const child = spawn('nginx', ['-p', directory, '-c', file, '-e', errors], { stdio: 'ignore' })
  await untilListening(port, child, () => readFileSync(errors, 'utf8'))
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGQUIT')
      await exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function untilListening(port: number, child: ReturnType<typeof spawn>, errors: () => string) {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`nginx ended at its start:\n${errors()}`)
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () =>
        resolve(false)
      )
      socket.on('connect', () => socket.destroy())
    })
    if (answers) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`nginx did not answer within 10 seconds:\n${errors()}`)
}
