import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from './ports.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = join(ROOT, 'docs/guarding.md')

/**
 * The code that docs/guarding.md shows under a heading.
 */
function codeUnder(heading: string): string {
  const page = readFileSync(PAGE, 'utf8')
  const section = page.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`))
  const [, code] = /```(?:js|ts|python|go)\n(.+?)```/s.exec(section ?? '') ?? []
  if (!code) throw new Error(`There is no code under ${heading} in ${PAGE}`)
  return code
}

/**
 * The clients of the page: how each is started, and how it is written down.
 */
export const APPS = {
  'Express 5': { file: 'express.mjs', command: process.execPath },
  'Fastify 5': { file: 'fastify.mjs', command: process.execPath },
  'Hono': { file: 'hono.mjs', command: process.execPath },
  'AdonisJS 7': {
    file: 'adonisjs/start/routes.ts',
    command: process.execPath,
    args: ['--import=@poppinss/ts-exec', 'adonisjs/bin/server.js'],
  },
  'Python (WSGI)': { file: 'service.py', command: 'python3' },
  'Go (net/http)': { file: 'service.go', command: 'go', args: ['run', 'service.go'] },
  'Any RFC 7662 client': { file: 'introspects.mjs', command: process.execPath },
} satisfies Record<string, { file: string; command: string; args?: string[] }>

export type AppName = keyof typeof APPS

/**
 * Those that use the package.
 */
export const FRAMEWORKS = ['Express 5', 'Fastify 5', 'Hono', 'AdonisJS 7'] as const

export function canRun(name: AppName): boolean {
  const { command } = APPS[name]
  const version = command === 'go' ? 'version' : '--version'
  return spawnSync(command, [version]).status === 0
}

let installed: Promise<string> | undefined

/**
 * A project with the package installed as a stranger does: packed, and from the file. It stands inside
 * of this one, where it finds the frameworks.
 */
function projectWithGuard(): Promise<string> {
  installed ??= install()
  return installed
}

async function install() {
  mkdirSync(join(ROOT, 'tmp'), { recursive: true })
  const directory = mkdtempSync(join(ROOT, 'tmp/guarded-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }')
  const run = (args: string[]) =>
    promisify(execFile)('npm', [...args, '--offline', '--no-audit', '--no-fund'], {
      cwd: directory,
      shell: process.platform === 'win32',
    })
  await run(['pack', join(ROOT, 'clients/node')])
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))
  await run(['install', `./${tarball}`])
  for (const [name, code] of Object.entries(ADONISJS)) write(directory, `adonisjs/${name}`, code)
  return directory
}

function write(directory: string, name: string, code: string) {
  const file = join(directory, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
}

/**
 * What a new AdonisJS 7 application has beside its routes, as far as it is needed to answer.
 */
const ADONISJS = {
  'package.json': '{ "private": true, "type": "module" }',
  'adonisrc.ts': `import { defineConfig } from '@adonisjs/core/app'
export default defineConfig({
  commands: [],
  providers: [
    () => import('@adonisjs/core/providers/app_provider'),
    () => import('@adonisjs/core/providers/hash_provider'),
  ],
  preloads: [() => import('./start/routes.ts'), () => import('./start/kernel.ts')],
})
`,
  'config/app.ts': `import { defineConfig } from '@adonisjs/core/http'
export const appKey = 'a-key-of-an-application-in-a-test'
export const http = defineConfig({})
`,
  'config/encryption.ts': `import { defineConfig, drivers } from '@adonisjs/core/encryption'
export default defineConfig({
  default: 'gcm',
  list: { gcm: drivers.aes256gcm({ keys: ['a-key-of-an-application-in-a-test'], id: 'gcm' }) },
})
`,
  'config/bodyparser.ts': `import { defineConfig } from '@adonisjs/core/bodyparser'
export default defineConfig({})
`,
  'config/logger.ts': `import { defineConfig } from '@adonisjs/core/logger'
export default defineConfig({ default: 'app', loggers: { app: { enabled: true, level: 'warn' } } })
`,
  'start/kernel.ts': `import router from '@adonisjs/core/services/router'
router.use([() => import('@adonisjs/core/bodyparser_middleware')])
`,
  'bin/server.js': `import 'reflect-metadata'
import { Ignitor, prettyPrintError } from '@adonisjs/core'
const root = new URL('../', import.meta.url)
const importer = (path) => import(path.startsWith('.') ? new URL(path, root).href : path)
new Ignitor(root, { importer })
  .tap((app) => app.listen('SIGTERM', () => app.terminate()))
  .httpServer()
  .start()
  .catch(prettyPrintError)
`,
}

export type GuardedApp = { url: string; output(): string; stop(): Promise<void> }

/**
 * Starts a client of the page with the environment that it reads, and waits until it listens. `edit`
 * changes its code.
 */
export async function startGuardedApp(
  name: AppName,
  env: Record<string, string>,
  edit: (code: string, url: string) => string = (code) => code
): Promise<GuardedApp> {
  const directory = await projectWithGuard()
  const app: { file: string; command: string; args?: string[] } = APPS[name]
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  write(directory, app.file, edit(codeUnder(name), url))
  const child = spawn(app.command, app.args ?? [app.file], {
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      ...env,
      PORT: String(port),
    },
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  /** The group: `go run` starts another program. */
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    process.kill(-child.pid!, 'SIGKILL')
    await exited
  }
  const deadline = Date.now() + 120_000
  for (;;) {
    const answered = await fetch(url).then(
      () => true,
      () => false
    )
    if (answered) return { url, output: () => output, stop }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`${name} did not start:\n${output}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
