import { rmSync } from 'node:fs'
import { join } from 'node:path'
import adonisrc from '../../adonisrc.ts'
import { compileApplication } from '../../tests/harness/compiled.ts'
import { ended, start } from '../ready/node.js'
import { installPostgres } from './postgres.js'

/**
 * The tests on SQLite and on PostgreSQL. Two runs go at a time: one shows what it does, the other is
 * told when all have finished. Arguments go to the test runner: `npm test -- functional`,
 * `npm test -- --files=tests/functional/login.spec.ts`. `--postgres=14` runs on that version of
 * PostgreSQL alone: `npm test -- --postgres=14 contract functional`.
 *
 * The suites that take minutes run when they are named, or all with `CI=true`; without it the races
 * are short too (tests/harness/pace.ts), and what says little about a database (`unit`, `commands`)
 * runs beside one of them. The suite of the quickstart, which takes as long as an installation and
 * has its own database, runs once.
 */
const QUICKSTART = 'quickstart'
const ON_ONE_DATABASE = { unit: 'sqlite', commands: 'postgres' }
const TAKE_MINUTES = ['concurrency', 'browser', 'hostile', 'outage', 'chaos']
const everything = ![undefined, '', '0', 'false'].includes(process.env.CI)
const suites = adonisrc.tests.suites.map(({ name }) => name).filter((name) => name !== QUICKSTART)
const quickSuites = suites.filter((name) => everything || !TAKE_MINUTES.includes(name))
const given = process.argv.slice(2)
const args = given.filter((arg) => !arg.startsWith('--postgres='))
const version = given.find((arg) => arg.startsWith('--postgres='))?.slice('--postgres='.length)
const postgres = version === undefined ? undefined : await preparePostgres()

const runs = planRuns()

/**
 * Worth its seconds when many processes are started: the runs of whole databases.
 */
const compiled = given.length === 0 ? compileApplication() : undefined
const results = []
let shown = false
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => (interrupted = true))
}

await Promise.all([work(), work()])
if (compiled) rmSync(compiled, { recursive: true, force: true })
for (const { title, output } of results) {
  if (output !== '') console.log(`\n${title}\n${output}`)
}

const sum = (count) => results.reduce((total, result) => total + result[count], 0)
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
if (given.length === 0 && !everything) {
  const left = [...TAKE_MINUTES, QUICKSTART].join(', ')
  console.log(`CI=true npm test also runs what takes minutes: ${left}.`)
}
process.exitCode = interrupted || sum('failed') > 0 || sum('passed') === 0 ? 1 : 0

async function preparePostgres() {
  return installPostgres(version).catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
}

function planRuns() {
  const quickstart = {
    title: 'Test of the quickstart',
    database: 'sqlite',
    runnerArgs: args.includes(QUICKSTART) ? args : [QUICKSTART, ...args],
  }
  if (args.some((arg) => arg.includes(QUICKSTART))) return [quickstart]

  const chooses = args.some((arg) => suites.includes(arg) || arg.startsWith('--files'))
  const suitesOf = (database) =>
    quickSuites.filter(
      (name) => everything || [undefined, database].includes(ON_ONE_DATABASE[name])
    )
  const both = (version ? ['postgres'] : ['sqlite', 'postgres']).map((database) => ({
    title: `Tests on ${database}${version ? ` ${version}` : ''}`,
    database,
    runnerArgs: chooses ? args : [...suitesOf(database), ...args],
  }))
  return everything && given.length === 0 ? [both[0], quickstart, both[1]] : both
}

async function work() {
  while (runs.length > 0 && !interrupted) {
    const run = runs.shift()
    const isShown = !shown && run.runnerArgs[0] !== QUICKSTART
    if (isShown) {
      shown = true
      console.log(`\n${run.title}`)
    }
    results.push(await runTests(run, isShown ? 'inherit' : 'pipe'))
    if (isShown) shown = false
  }
}

/**
 * One run of the test runner, which tells its counts as a message (tests/bootstrap.ts). A run that
 * ends badly without a failed test counts as one.
 */
async function runTests({ title, database, runnerArgs }, output) {
  const child = start(['--import=@poppinss/ts-exec', 'bin/test.ts', ...runnerArgs], {
    stdio: ['ignore', output, output, 'ipc'],
    env: {
      ...process.env,
      DB_CONNECTION: database,
      ...(postgres && { EMBEDDED_POSTGRES: postgres }),
      ...(compiled && {
        COMPILED_APPLICATION: compiled,
        NODE_COMPILE_CACHE: join(compiled, 'cache'),
      }),
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
  })
  const result = { title, passed: 0, failed: 0, output: '' }
  child.on('message', ({ counts }) => Object.assign(result, counts))
  child.stdout?.on('data', (chunk) => (result.output += chunk))
  child.stderr?.on('data', (chunk) => (result.output += chunk))
  const code = await ended(child)
  if (code !== 0) result.failed ||= 1
  return result
}
