/**
 * Who did something, in one word, as the log keeps it: `user:7`, `command:force:logout`,
 * `service_client:…`, `repl`, or `system` for what time brings about.
 */
export type Actor =
  `user:${number}` | `command:${string}` | `service_client:${string}` | 'repl' | 'system'

/**
 * A service client as the one who did something.
 */
export const clientActor = (id: string) => `service_client:${id}` as const
