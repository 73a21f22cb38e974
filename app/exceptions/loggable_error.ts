/**
 * What the log may say of an error: the fault and where it happened. A driver's message quotes the
 * statement, and SQLite's with its values, so only the last part of the message, which names the
 * fault, and the frames of the stack are kept.
 */
export function loggableError(error: unknown) {
  if (!(error instanceof Error)) {
    return { name: typeof error, message: 'A value was thrown that is no error.', stack: '' }
  }
  const { name, message, stack = '' } = error
  const { code } = error as { code?: string }
  const fault = message.slice(message.lastIndexOf(' - ') + 1).replace(/^- /, '')
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '))
  return { name, code, message: fault, stack: frames.join('\n').trim() }
}
