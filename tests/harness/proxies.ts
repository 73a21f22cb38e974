import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './ports.js'

const DEPLOY = new URL('../../docs/deploy/', import.meta.url)

/**
 * The proxies whose configuration in docs/deploy is run: how to learn that one is installed, what to
 * write around the configuration, and how to start it. `8000` is the port that it listens on.
 */
export const PROXIES = {
  nginx: {
    probe: ['nginx', '-V'],
    knows: '--with-http_auth_request_module',
    file: 'nginx.conf',
    listen: ['listen 8000', (port: number) => `listen 127.0.0.1:${port}`],
    surround: (http: string, directory: string) => {
      const user = process.getuid?.() === 0 ? 'user root;' : ''
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory}/${name};`)
        .join('\n')
      return `${user} daemon off; pid ${directory}/pid; worker_processes 1;
        events {} http { access_log off; ${temporary}
        ${http} }`
    },
    start: (file: string, directory: string) => [
      'nginx',
      '-p',
      directory,
      '-c',
      file,
      '-e',
      'stderr',
    ],
  },
  Caddy: {
    probe: ['caddy', 'version'],
    knows: '2.',
    file: 'Caddyfile',
    listen: ['http://api.example.com:8000', (port: number) => `http://127.0.0.1:${port}`],
    surround: (site: string) => `{\n\tadmin off\n\tauto_https off\n}\n${site}`,
    start: (file: string) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
  },
  HAProxy: {
    probe: ['haproxy', '-vv'],
    knows: '+LUA',
    file: 'haproxy.cfg',
    listen: ['bind :8000', (port: number) => `bind 127.0.0.1:${port}`],
    surround: (configuration: string) => configuration,
    start: (file: string) => ['haproxy', '-db', '-f', file],
  },
} as const

export type ProxyName = keyof typeof PROXIES

export function hasProxy(name: ProxyName): boolean {
  const { probe, knows } = PROXIES[name]
  const [command, ...args] = probe
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`.includes(knows)
}

export type Proxy = { url: string; stop(): Promise<void> }

/**
 * Starts a real proxy with its documented configuration, in front of these addresses, and waits until
 * it answers. `maxAge` is written where the configuration says.
 */
export async function startProxy(
  name: ProxyName,
  addresses: { latchkey: string; backend: string },
  maxAge?: number
): Promise<Proxy> {
  const proxy = PROXIES[name]
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-proxy-'))
  const port = await freePort()
  const [listen, listenHere] = proxy.listen
  let text = readFileSync(new URL(proxy.file, DEPLOY), 'utf8')
  for (const [from, to] of [
    [listen, listenHere(port)],
    ['127.0.0.1:3333', addresses.latchkey],
    ['127.0.0.1:8080', addresses.backend],
  ]) {
    if (!text.includes(from)) throw new Error(`${proxy.file} has no ${from}`)
    text = text.replaceAll(from, to)
  }
  if (maxAge !== undefined) {
    text = text.replace(/^(?!\s*#)(.*\/forward-auth)(\??)/gm, `$1?max_age=${maxAge}$2`)
  }
  const file = join(directory, proxy.file)
  writeFileSync(file, proxy.surround(text, directory))
  copyFileSync(new URL('latchkey.lua', DEPLOY), join(directory, 'latchkey.lua'))

  const [command, ...args] = proxy.start(file, directory)
  const child = spawn(command, args, {
    cwd: directory,
    env: { ...process.env, HOME: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    }
    rmSync(directory, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + 30_000
  for (;;) {
    const answered = await fetch(url, { method: 'OPTIONS' }).then(
      () => true,
      () => false
    )
    if (answered) return { url, stop }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`${name} did not start:\n${output}`)
    }
    await sleep(20)
  }
}
