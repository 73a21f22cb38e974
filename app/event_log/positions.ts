import { ADVISORY_LOCKS } from '#app/database/advisory_locks'

/**
 * Entries that one statement gives positions to: some hundredths of a second.
 */
export const POSITIONS_AT_ONCE = 1_000

/**
 * A new mark of PostgreSQL: 60 random bits.
 */
const MARK = "left(replace(gen_random_uuid()::text, '-', ''), 16)"

/**
 * Gives the next positions to entries that have none, in the order of their ids. PostgreSQL alone needs
 * it: ids are drawn before a transaction commits, so an entry can appear behind a reader who went by
 * ids. An entry without a position is seen by nobody, so who reads by positions skips nothing,
 * however long the transaction takes, and waits for no other.
 *
 * It is a single statement, which is a transaction of its own: no client can leave it open, and a pooler in
 * transaction mode passes it on like any other.
 * Each part of it sees what has committed until then (READ COMMITTED). The lock has everybody else who gives
 * positions wait, so they become visible in their order; who waited finds them given and writes nothing. What
 * it sees are all entries that had committed when it was sent. Sign-ins never wait for it.
 *
 * The name of the log is put back where somebody has emptied its table.
 */
export const GIVE_POSITIONS = `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM session_events WHERE position IS NULL) THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(${ADVISORY_LOCKS.positions});
  IF NOT EXISTS (SELECT FROM event_log WHERE id = 1) THEN
    INSERT INTO event_log (id, log) VALUES (1, ${MARK}) ON CONFLICT DO NOTHING;
  END IF;
  UPDATE session_events SET position = fresh.position, mark = ${MARK}
  FROM (
    SELECT id, row_number() OVER (ORDER BY id)
      + coalesce((SELECT max(position) FROM session_events), 0) AS position
    FROM (
      SELECT id FROM session_events WHERE position IS NULL ORDER BY id LIMIT ${POSITIONS_AT_ONCE}
    ) AS open
  ) AS fresh
  WHERE session_events.id = fresh.id;
END $$`

/**
 * How many entries wait for a position, counted no further than is of interest.
 */
export const WITHOUT_POSITION = `(SELECT count(*) FROM (
  SELECT 1 FROM session_events WHERE position IS NULL LIMIT ${POSITIONS_AT_ONCE + 1}
) AS open)`
