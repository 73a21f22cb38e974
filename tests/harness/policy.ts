import sessionsConfig from '#config/sessions'

/**
 * Remembers the policy in force. Returns what puts it back, for a test's cleanup.
 */
export function keepPolicy(): () => void {
  const before = { ...sessionsConfig }
  return () => {
    Object.assign(sessionsConfig, before)
  }
}
