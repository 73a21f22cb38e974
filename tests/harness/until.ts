/**
 * Waits until a condition holds. Throws, with `what` should have happened, when it does not within
 * so many milliseconds.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  patience = 5_000
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const missing = typeof what === 'string' ? what : what()
      throw new Error(`${missing}: not within ${patience} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
