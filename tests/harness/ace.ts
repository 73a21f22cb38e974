import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { programOf } from './compiled.js'

const { cwd, args: CONSOLE } = programOf('bin/console')

export type Finished = {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export type RunningCommand = {
  process: ChildProcess
  /** What it wrote so far, to both. */
  output(): string
  finished: Promise<Finished>
}

/**
 * Starts an ace command in a process of its own, on the database of this test run, with no
 * terminal. `input` is what it finds on standard input.
 */
export function startAce(
  args: string[],
  options: { input?: string; env?: Record<string, string> } = {}
): RunningCommand {
  return watch(spawn(process.execPath, [...CONSOLE, ...args], spawnOptions(options)), options.input)
}

/**
 * Runs an ace command to its end.
 */
export function runAce(args: string[], options: Parameters<typeof startAce>[1] = {}) {
  return startAce(args, options).finished
}

/**
 * Starts an ace command on a terminal of so many columns, by script(1) of util-linux: standard
 * output and standard error arrive together. `answers` are typed when the text they wait for shows.
 */
export function startAceOnTerminal(
  args: string[],
  options: { columns?: number; answers?: [waitFor: string, answer: string][] } = {}
): RunningCommand {
  const words = [process.execPath, ...CONSOLE, ...args].map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`
  )
  const command = `stty cols ${options.columns ?? 100}; exec ${words.join(' ')}`
  const child = spawn('script', ['-qec', command, '/dev/null'], spawnOptions({}))
  const running = watch(child)
  const answers = [...(options.answers ?? [])]
  child.stdout!.on('data', () => {
    while (answers.length > 0 && running.output().includes(answers[0][0])) {
      child.stdin!.write(answers.shift()![1])
    }
  })
  return running
}

function spawnOptions({ env }: { env?: Record<string, string> }) {
  return {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0', ...env },
  }
}

function watch(child: ChildProcess, input?: string): RunningCommand {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  child.stderr!.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
  child.stdin!.on('error', () => {})
  if (input !== undefined) child.stdin!.end(input)
  else if (child.spawnfile !== 'script') child.stdin!.end()
  const finished = once(child, 'close').then(([exitCode, signal]) => ({
    exitCode,
    signal,
    stdout,
    stderr,
  }))
  return { process: child, output: () => stdout + stderr, finished }
}
