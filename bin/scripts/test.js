import adonisrc from '../../adonisrc.ts'
import { ended, start } from '../ready/node.js'

/**
 * All tests on SQLite, then on PostgreSQL. The suite of the quickstart, which takes as long as an
 * installation and has its own database, runs once and beside them. Arguments go to the test
 * runner: `npm test -- functional`, `npm test -- --files=tests/functional/login.spec.ts`.
 */
const QUICKSTART = 'quickstart'
const suites = adonisrc.tests.suites.map(({ name }) => name).filter((name) => name !== QUICKSTART)
const args = process.argv.slice(2)

const quickstartAsked = args.some((arg) => arg.includes(QUICKSTART))
const results = []

const beside =
  quickstartAsked || args.length === 0
    ? runTests('sqlite', args.includes(QUICKSTART) ? args : [QUICKSTART, ...args], { show: false })
    : undefined

if (!quickstartAsked) {
  const chosen = args.some((arg) => suites.includes(arg)) ? args : [...suites, ...args]
  for (const database of ['sqlite', 'postgres']) {
    console.log(`\nTests on ${database}`)
    results.push(await runTests(database, chosen, { show: true }))
  }
}
if (beside) {
  const result = await beside
  console.log(`\nTest of the quickstart\n${result.output}`)
  results.push(result)
}

const sum = (count) => results.reduce((total, result) => total + result[count], 0)
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
process.exitCode = sum('failed') > 0 || sum('passed') === 0 ? 1 : 0

/**
 * One run of the test runner, which tells its counts as a message (tests/bootstrap.ts). A run that
 * ends badly without a failed test counts as one.
 */
async function runTests(database, runnerArgs, { show }) {
  const output = show ? 'inherit' : 'pipe'
  const child = start(['--import=@poppinss/ts-exec', 'bin/test.ts', ...runnerArgs], {
    stdio: ['ignore', output, output, 'ipc'],
    env: {
      ...process.env,
      DB_CONNECTION: database,
      ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
    },
  })
  const result = { passed: 0, failed: 0, output: '' }
  child.on('message', ({ counts }) => Object.assign(result, counts))
  child.stdout?.on('data', (chunk) => (result.output += chunk))
  child.stderr?.on('data', (chunk) => (result.output += chunk))
  const code = await ended(child)
  if (code !== 0) result.failed ||= 1
  return result
}
