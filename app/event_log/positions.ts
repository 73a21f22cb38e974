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
 * It is one statement, whose transaction no client can leave open. Each part of it sees what has
 * committed until then (READ COMMITTED): the lock makes everybody else wait, so positions become visible
 * in their order, and what it sees then are all entries that had committed when it was sent.
 * Sign-ins never wait for it.
 *
 * `DO` is a plain statement for a pooler too. The row that it locks is put back where somebody has
 * emptied the table.
 */
export const GIVE_POSITIONS = `DO $$ BEGIN
  PERFORM 1 FROM event_log WHERE id = 1 FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO event_log (id, log) VALUES (1, ${MARK}) ON CONFLICT DO NOTHING;
    PERFORM 1 FROM event_log WHERE id = 1 FOR UPDATE;
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
