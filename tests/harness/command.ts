import { Readable } from 'node:stream'
import ace from '@adonisjs/core/services/ace'
import clock from '#app/clock'
import sessionsConfig, { type SessionPolicy } from '#config/sessions'
import { keepPolicy } from './policy.js'

export type Outcome = { exitCode: number; stdout: string; stderr: string }

/**
 * What a command may find otherwise than its test: how far its clock is ahead, in milliseconds, its
 * policy, and standard input.
 */
export type Surroundings = { ahead?: number; policy?: Partial<SessionPolicy>; input?: string }

/**
 * Runs an ace command to its end in this process, without a terminal: as `runAce` (./ace.js) does in
 * a process of its own, at a hundredth of the cost. Signals, the environment and a real terminal
 * want a process.
 */
export async function runCommand(
  [name, ...args]: string[],
  { ahead, policy, input = '' }: Surroundings = {}
): Promise<Outcome> {
  const output = captureOutput()
  const restore = [keepPolicy(), replaceStdin(input), output.release]
  Object.assign(sessionsConfig, policy)
  if (ahead !== undefined) {
    clock.freeze(new Date(clock.millis() + ahead))
    restore.push(() => clock.restore())
  }
  try {
    const exitCode = await execute(name, args)
    return { exitCode, ...output.read() }
  } finally {
    for (const undo of restore) undo()
  }
}

/**
 * What `runCommand` wrote on standard output as JSON. Throws when the command failed.
 */
export async function jsonOfCommand(args: string[], surroundings?: Surroundings) {
  const { exitCode, stdout, stderr } = await runCommand([...args, '--json'], surroundings)
  if (exitCode !== 0) throw new Error(`ace ${args.join(' ')} failed:\n${stderr}`)
  return JSON.parse(stdout)
}

/**
 * A wrong flag is thrown, with how ace tells of it.
 */
async function execute(name: string, args: string[]): Promise<number> {
  try {
    const { exitCode } = await ace.exec(name, args)
    return exitCode ?? 0
  } catch (error) {
    const { render } = error as { render?: (error: unknown, kernel: object) => unknown }
    if (!render) throw error
    const kernel = { ui: ace.ui, exitCode: 1 }
    await render.call(error, error, kernel)
    return kernel.exitCode
  }
}

/**
 * Keeps what commands log, and what they write on standard output themselves.
 */
function captureOutput() {
  const { write } = process.stdout
  const listeners = process.stdout.listeners('error') as (() => void)[]
  let direct = ''
  process.stdout.write = (text: string | Uint8Array) => {
    direct += text
    return true
  }
  ace.ui.switchMode('raw')
  ace.ui.logger.flushLogs()
  const logged = (stream: string) => {
    const logs = ace.ui.logger.getLogs().filter((log) => log.stream === stream)
    return logs.map(({ message }) => `${message}\n`).join('')
  }
  return {
    read: () => ({ stdout: logged('stdout') + direct, stderr: logged('stderr') }),
    release() {
      ace.ui.logger.flushLogs()
      ace.ui.switchMode('normal')
      process.stdout.write = write
      for (const added of process.stdout.listeners('error') as (() => void)[]) {
        if (!listeners.includes(added)) process.stdout.off('error', added)
      }
    },
  }
}

/**
 * Puts a text on standard input, which is no terminal then.
 */
function replaceStdin(text: string): () => void {
  const own = Object.getOwnPropertyDescriptor(process, 'stdin')!
  Object.defineProperty(process, 'stdin', {
    value: Readable.from([Buffer.from(text)], { objectMode: false }),
    configurable: true,
  })
  return () => {
    Object.defineProperty(process, 'stdin', own)
  }
}
