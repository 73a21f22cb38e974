/**
 * The keys of the advisory locks that this application takes on PostgreSQL, each in a transaction. Nodes of
 * two versions run side by side for a while, so a key never changes.
 */
export const ADVISORY_LOCKS = {
  /** Two administrators who go at once (#app/accounts/roles_and_limits). */
  admins: 7_301_001,
  /** Who gives positions to entries of the log (#app/event_log/positions). */
  positions: 7_301_017,
  /** Who migrates (#app/migrations/lock). */
  migrations: 1_767_000_011,
} as const
