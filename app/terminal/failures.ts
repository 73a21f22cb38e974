import { escapeJson, escapeText } from '#app/terminal/escape'
import { isOutage, outageOf } from '#exceptions/outage'

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
 * No user has this e-mail, id or external id.
 */
export class UnknownUser extends UsageFailure {
  override readonly code = 'E_UNKNOWN_USER'

  /**
   * `reading`: the command changes nothing in any case, and says nothing of it.
   */
  constructor(given: string | number, { reading = false } = {}) {
    const user = `There is no user ${escapeText(String(given))}.`
    super(reading ? user : `${user} Nothing was changed.`)
  }
}

/**
 * The database can't be used now. Whether the work was done is not known.
 */
class DatabaseFailure extends CommandFailure {
  override readonly code = 'E_UNAVAILABLE'
}

type Kernel = {
  errorHandler: { render(error: unknown, kernel: any): Promise<unknown> }
}

type Output = { log(text: string): unknown; logError(text: string): unknown }

/**
 * Tells of a failure: the sentence on standard error and, where JSON was asked for, one object on
 * standard output. Returns the exit code.
 */
export function reportFailure(error: unknown, output: Output, json: boolean): number {
  const failure = asFailure(error)
  output.logError(`Error: ${failure.message}`)
  if (json) output.log(`{"error":${failureJson(failure)}}`)
  return failure.exitCode
}

/**
 * The object that `--json` prints for a failure.
 */
export function failureJson(error: unknown): string {
  const { code, message } = asFailure(error)
  return escapeJson({ code, message })
}

/**
 * Has commands of the framework and of packages tell of an outage in one line, on standard error,
 * where they would print a stack.
 */
export function tellOutagesInOneLine(kernel: Kernel): void {
  const { errorHandler } = kernel
  const render = errorHandler.render.bind(errorHandler)
  errorHandler.render = async (error, asking) => {
    if (isOutage(error)) reportFailure(error, asking.ui.logger, false)
    else await render(error, asking)
  }
}

function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  const outage = outageOf(error)
  if (outage) return new DatabaseFailure(`${outage} (${escapeText(rootOf(error))})`)
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code === 'E_PROMPT_CANCELLED') return new CommandFailure('Cancelled. Nothing was changed.')
  return new CommandFailure(escapeText(withoutStatement(String(message || code || error))))
}

/**
 * What the driver said, behind what was made of it.
 */
function rootOf(error: unknown): string {
  let root = error as Error & { code?: unknown }
  while (root.cause instanceof Error) root = root.cause
  const [first] = root instanceof AggregateError ? root.errors : [root]
  return withoutStatement(String(first.message || root.code || root.name))
}

/**
 * A driver's message quotes the statement first; only its last part names the fault.
 */
function withoutStatement(message: string): string {
  const cut = message.lastIndexOf(' - ')
  return cut === -1 ? message : message.slice(cut + 3)
}
