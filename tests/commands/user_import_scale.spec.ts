import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import { runAce, startAce, type RunningCommand } from '#tests/harness/ace'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { until } from '#tests/harness/until'

/**
 * `LONG=1` imports a million lines and prints what it took.
 */
const LONG = process.env.LONG === '1'
const LINES = LONG ? 1_000_000 : 5_000
const BROKEN = LINES / 100
const MEBIBYTE = 1024 * 1024

/**
 * Every hundredth line is broken, in one of four ways.
 */
function lineOf(number: number): string {
  const email = `person${number}@example.com`
  if (number % 100 !== 0) {
    const passwordHash = `$2b$10$${'.'.repeat(53)}`
    return JSON.stringify({ email, externalId: `u-${number}`, fullName: 'Person', passwordHash })
  }
  return ['{"email":', '{}', `{"email":"${number}"}`, '{"externalId":"ä"}'][(number / 100) % 4]
}

async function writeLines(file: string): Promise<void> {
  const stream = createWriteStream(file)
  for (let number = 1; number <= LINES; number++) {
    if (!stream.write(`${lineOf(number)}\n`)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'close')
}

/**
 * The highest memory of a process so far, in bytes; undefined where the system does not say, or it is gone.
 */
function peakOf({ process: { pid } }: RunningCommand): number | undefined {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kibibytes ? Number(kibibytes) * 1024 : undefined
  } catch {
    return undefined
  }
}

test.group('user:import of a large file', (group) => {
  let directory: string
  let file: string

  group.tap((one) => one.timeout(LONG ? 3_600_000 : 120_000))
  group.setup(async () => {
    directory = await mkdtemp(join(tmpdir(), 'latchkey-import-'))
    file = join(directory, 'users.ndjson')
    await writeLines(file)
    await emptyDatabase()
    return async () => {
      await rm(directory, { recursive: true })
      await emptyDatabase()
    }
  })

  async function importAll(what: string) {
    const began = performance.now()
    const running = startAce(['user:import', file, '--json'])
    let peak = 0
    const ended = new AbortController()
    const watching = (async () => {
      while (!ended.signal.aborted) {
        peak = Math.max(peak, peakOf(running) ?? 0)
        await sleep(100, undefined, { signal: ended.signal }).catch(() => {})
      }
    })()
    const { exitCode, stdout, stderr } = await running.finished
    ended.abort()
    await watching
    if (exitCode !== 0) throw new Error(stderr)
    if (LONG) {
      const seconds = ((performance.now() - began) / 1000).toFixed(0)
      const { size } = await stat(file)
      console.log(
        `      ${what}: ${LINES} lines, ${(size / MEBIBYTE).toFixed(0)} MiB: ${seconds} s, at most ${(peak / MEBIBYTE).toFixed(0)} MiB of memory`
      )
    }
    return { report: JSON.parse(stdout), peak }
  }

  test('killed half-way, run again, it is complete', async ({ assert }) => {
    const first = startAce(['user:import', file])
    const enough = () => countRows('users').then((total) => total >= LINES / 4)
    await until(enough, 'a quarter of the users', LONG ? 1_800_000 : 60_000)
    first.process.kill('SIGKILL')
    await first.finished
    const made = await countRows('users')
    assert.equal(await countRows('session_events', { type: 'user.created' }), made)

    const { report, peak } = await importAll('run again after a kill')
    assert.equal(report.read, LINES)
    assert.equal(report.created + made, LINES - BROKEN)
    assert.equal(report.unchanged, made)
    assert.equal(report.refused, BROKEN)
    assert.deepEqual(
      report.lines.map(({ line }: { line: number }) => line),
      Array.from({ length: BROKEN }, (_, index) => (index + 1) * 100)
    )
    assert.equal(await countRows('users'), LINES - BROKEN)
    assert.equal(await countRows('session_events', { type: 'user.created' }), LINES - BROKEN)
    assert.isBelow(peak, 400 * MEBIBYTE)
  })

  test('a second run changes nothing', async ({ assert }) => {
    const { report } = await importAll('a second run')
    const { lines, ...counts } = report
    assert.deepEqual(counts, {
      read: LINES,
      created: 0,
      unchanged: LINES - BROKEN,
      refused: BROKEN,
    })
    assert.lengthOf(lines, BROKEN)
    assert.equal(await countRows('users'), LINES - BROKEN)
  })

  test('Ctrl-C stops it behind the lines under way, and says how to go on', async ({ assert }) => {
    await emptyDatabase()
    const running = startAce(['user:import', file])
    await until(() => countRows('users').then((total) => total > 0), 'the first users', 60_000)
    running.process.kill('SIGINT')
    const { exitCode, stderr, stdout } = await running.finished
    assert.equal(exitCode, 1)
    assert.include(stderr, 'Interrupted: the same command again goes on from there.')
    assert.match(stdout, /^Read [\d,]+ lines: created [\d,]+ users/)
    const made = await countRows('users')
    assert.isBelow(made, LINES - BROKEN)
    if (LONG) {
      await emptyDatabase()
      await importAll('all of it at once')
      return
    }
    const { exitCode: last } = await runAce(['user:import', file])
    assert.equal(last, 0)
    assert.equal(await countRows('users'), LINES - BROKEN)
  })
})
