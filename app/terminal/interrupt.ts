/**
 * Lets Ctrl-C stop long work behind the step under way. A second one ends the process at once.
 */
export function onInterrupt(): { signal: AbortSignal; release: () => void } {
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  return { signal: stop.signal, release: () => process.off('SIGINT', interrupt) }
}
