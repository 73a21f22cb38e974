let working: AbortController | undefined

/**
 * Lets Ctrl-C and SIGTERM stop long work behind the step under way. A second one ends the process.
 * When the reader of standard output goes away (`… | head`), the work goes on, or stops with
 * `stopUnread`.
 */
export function onInterrupt(options: { stopUnread?: boolean } = {}): {
  signal: AbortSignal
  release: () => void
} {
  const stop = new AbortController()
  working = stop
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (options.stopUnread) stop.abort()
  })
  const release = () => {
    process.off('SIGINT', interrupt)
    if (working === stop) working = undefined
  }
  return { signal: stop.signal, release }
}

/**
 * Asks the long work under way to stop (SIGTERM, `bin/console.ts`). False: there is none, or it was asked
 * before.
 */
export function stopWork(): boolean {
  if (!working || working.signal.aborted) return false
  working.abort()
  return true
}
