/**
 * Lets Ctrl-C stop long work behind the step under way. A second one ends the process at once.
 * When the reader of standard output goes away (`… | head`), the work goes on, or stops with
 * `stopUnread`.
 */
export function onInterrupt(options: { stopUnread?: boolean } = {}): {
  signal: AbortSignal
  release: () => void
} {
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (options.stopUnread) stop.abort()
  })
  return { signal: stop.signal, release: () => process.off('SIGINT', interrupt) }
}
