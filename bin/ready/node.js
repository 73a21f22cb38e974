import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { spawn } from 'node:child_process'
import { ROOT } from './root.js'

const windows = process.platform === 'win32'

/**
 * Node.js 24, which comes with the dev dependency "node".
 */
export const bundledNode = join(ROOT, 'node_modules/node/bin', windows ? 'node.exe' : 'node')

/**
 * Puts the bundled Node.js and the binaries of the packages first on the path.
 */
export function prepareNode() {
  const first = [join(ROOT, 'node_modules/node/bin'), join(ROOT, 'node_modules/.bin')]
  process.env.PATH = [...first, process.env.PATH].join(delimiter)
}

/**
 * Starts the bundled Node.js with the given arguments and the terminal of this process.
 */
export function start(args, options = {}) {
  return spawn(bundledNode, args, { cwd: ROOT, stdio: 'inherit', ...options })
}

/**
 * Runs the bundled Node.js to its end and gives its exit code.
 */
export function run(args, options) {
  return ended(start(args, options))
}

/**
 * The exit code of a child, which gets the signals that reach this process until then. A child
 * that a signal ended counts as in a shell: 128 and the number of the signal.
 */
export async function ended(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const pass = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, pass)
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
    })
  } finally {
    for (const signal of signals) process.off(signal, pass)
  }
}

/**
 * Runs a step whose output matters only when it fails. Throws with that output then.
 */
export async function runQuietly(args, options) {
  const child = start(args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  if ((await ended(child)) !== 0) throw new Error(output.trim() || `${args.join(' ')} failed.`)
}
