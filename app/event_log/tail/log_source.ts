import type { LoggedEvent } from '#app/event_log/read'

/**
 * Events that have committed since the last look. `tooMany`: there are more than one look takes;
 * none are given, and the place in the log is behind all of them.
 */
export type NewEvents = { events: LoggedEvent[]; tooMany: boolean }

/**
 * How many events one look takes.
 */
export const EVENTS_PER_LOOK = 2_000

/**
 * A place in the log of one database, which moves on with every look. Both databases tell in their
 * own way that the log has grown.
 */
export interface LogSource {
  /**
   * Takes its place at the end of the log. From now on `grown` is called when there may be
   * something new, and `failed` when the source is of no use any more.
   */
  open(grown: () => void, failed: (error: unknown) => void): Promise<void>

  /**
   * What has committed since the last look. Throws when the database can't be asked.
   */
  look(): Promise<NewEvents>

  close(): Promise<void>
}
