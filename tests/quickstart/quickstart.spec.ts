import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { freePort } from '#tests/harness/ports'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Minutes of patience, in milliseconds: an installation may compile SQLite.
 */
const PATIENCE = 8 * 60_000

/**
 * The environment of somebody who has just opened a terminal: nothing of this test run, of the
 * npm around it, or of the checkout's own packages. Where no prebuilt SQLite can be had, its
 * optimizer would take most of the time and nothing here is about speed: `-O0` leaves it out.
 */
function freshEnvironment(port: number): NodeJS.ProcessEnv {
  const kept = ['HOME', 'USER', 'LANG', 'TMPDIR', 'SHELL', 'http_proxy', 'https_proxy', 'no_proxy']
  const npm = /^npm_config_(registry|cache|userconfig|https?_proxy|noproxy)$|^NODE_EXTRA_CA_CERTS$/i
  const path = (process.env.PATH ?? '').split(delimiter)
  return {
    ...Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => kept.includes(name) || kept.includes(name.toLowerCase()) || npm.test(name)
      )
    ),
    PATH: path.filter((part) => !part.includes('node_modules')).join(delimiter),
    PORT: String(port),
    CFLAGS: '-O0',
  }
}

/**
 * A directory of its own with a clone of this checkout.
 */
function cloneCheckout() {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-clone-'))
  execFileSync('git', ['clone', '--quiet', ROOT, join(directory, 'latchkey')])
  return {
    clone: join(directory, 'latchkey'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/**
 * `npm run quickstart`, with no standard input, in a process group as a terminal makes it. It ends
 * with this process at the latest.
 */
function startQuickstart(cwd: string, env: NodeJS.ProcessEnv) {
  const child = spawn('npm', ['run', 'quickstart'], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  process.once('exit', () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGINT')
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return { child, output: () => output }
}

/**
 * What is printed up to the end of the tour.
 */
async function untilTour({ child, output }: ReturnType<typeof startQuickstart>): Promise<string> {
  const deadline = Date.now() + PATIENCE
  while (!/^6\. .*\n\n.+\n/m.test(output())) {
    if (child.exitCode !== null) throw new Error(`The quickstart ended:\n${output()}`)
    if (Date.now() > deadline) throw new Error(`There is no tour yet:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return output().slice(output().indexOf('The tour:'))
}

/**
 * Presses Ctrl-C: the whole group gets the signal.
 */
async function interrupt(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  process.kill(-child.pid!, 'SIGINT')
  await closed
}

/**
 * The commands of the tour, one text a step, without the indent.
 */
function commandsOf(tour: string): string[] {
  return tour
    .split(/^\d\. .*$/m)
    .slice(1)
    .map((step) => step.replace(/^ {4}/gm, '').trim())
}

/**
 * What each step printed when all were pasted into one bash.
 */
function paste(steps: string[], cwd: string, env: NodeJS.ProcessEnv): string[] {
  const script = steps.join('\necho "--- next"\n')
  const printed = execFileSync('bash', { cwd, env, input: script, encoding: 'utf8' })
  return printed.split('--- next\n').map((answer) => answer.trim())
}

test.group('Quickstart', (group) => {
  group.tap((each) => {
    if (!existsSync(join(ROOT, '.git'))) each.skip(true, 'This is no clone of a Git repository')
  })

  test('serves from a clone with nothing installed, and its tour works when pasted', async ({
    assert,
    cleanup,
  }) => {
    const { clone, remove } = cloneCheckout()
    cleanup(remove)
    assert.isFalse(existsSync(join(clone, 'node_modules')))
    assert.isFalse(existsSync(join(clone, '.env')))
    const port = await freePort()
    const env = freshEnvironment(port)

    const first = startQuickstart(clone, env)
    cleanup(() => interrupt(first.child))
    const steps = commandsOf(await untilTour(first))
    assert.lengthOf(steps, 6)

    const [phone, account, tablet, superseded, , forced] = paste(steps, clone, env)
    assert.match(phone, /^oat_/)
    assert.match(tablet, /^oat_/)
    assert.equal(JSON.parse(account).data.session.device.name, 'Pixel 9')
    assert.containsSubset(JSON.parse(superseded).errors[0], {
      code: 'E_SESSION_ENDED',
      reason: 'superseded',
      by: { name: 'iPad', platform: 'ios' },
    })
    assert.containsSubset(JSON.parse(forced).errors[0], {
      code: 'E_SESSION_ENDED',
      reason: 'forced',
    })

    const readme = readFileSync(join(clone, 'README.md'), 'utf8')
    for (const step of steps) assert.include(readme, step.replaceAll(`:${port}/`, ':3333/'))

    const second = startQuickstart(clone, env)
    const [code] = await once(second.child, 'close')
    assert.equal(code, 1)
    assert.include(second.output(), `Port ${port} is in use.`)

    await interrupt(first.child)
    const key = readFileSync(join(clone, '.env'), 'utf8')
    assert.match(key, /^APP_KEY=\S{32,}$/m)
    assert.equal(statSync(join(clone, '.env')).mode & 0o077, 0)

    const again = startQuickstart(clone, env)
    cleanup(() => interrupt(again.child))
    await untilTour(again)
    assert.notInclude(again.output(), 'npm ci')
    assert.equal(readFileSync(join(clone, '.env'), 'utf8'), key)
    const [stillForced] = paste([steps[3].replace('$PHONE', phone)], clone, env)
    assert.equal(JSON.parse(stillForced).errors[0].reason, 'superseded')

    await interrupt(again.child)
    const refused = startQuickstart(clone, { ...env, NODE_ENV: 'production' })
    const [refusal] = await once(refused.child, 'close')
    assert.equal(refusal, 1)
    assert.include(refused.output(), 'refuses NODE_ENV=production')
  }).timeout(PATIENCE + 60_000)
})
