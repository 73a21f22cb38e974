import { escapeJson, escapeText } from '#app/terminal/escape'

/**
 * Exit codes of every command: done (also when there was nothing to do), failed, and wrong usage,
 * which changed nothing.
 */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

/**
 * Why a command stops, in a sentence for the person who ran it.
 */
export class CommandFailure extends Error {
  readonly exitCode: number = EXIT.failed
  readonly code: string = 'E_FAILED'
}

/**
 * Wrong usage. Nothing has changed.
 */
export class UsageFailure extends CommandFailure {
  override readonly exitCode: number = EXIT.usage
  override readonly code: string = 'E_USAGE'
}

/**
 * No user has this e-mail, id or external id. Nothing has changed.
 */
export class UnknownUser extends UsageFailure {
  override readonly code = 'E_UNKNOWN_USER'

  constructor(given: string | number) {
    super(`There is no user ${escapeText(String(given))}. Nothing was changed.`)
  }
}

type Output = { log(text: string): unknown; logError(text: string): unknown }

/**
 * Tells of a failure: the sentence on standard error and, where JSON was asked for, one object on
 * standard output. Returns the exit code.
 */
export function reportFailure(error: unknown, output: Output, json: boolean): number {
  const failure = asFailure(error)
  output.logError(`Error: ${failure.message}`)
  if (json) output.log(escapeJson({ error: { code: failure.code, message: failure.message } }))
  return failure.exitCode
}

function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code === 'E_PROMPT_CANCELLED') return new CommandFailure('Cancelled. Nothing was changed.')
  return new CommandFailure(escapeText(withoutStatement(String(message || code || error))))
}

/**
 * A driver's message quotes the statement first; only its last part names the fault.
 */
function withoutStatement(message: string): string {
  const cut = message.lastIndexOf(' - ')
  return cut === -1 ? message : message.slice(cut + 3)
}
