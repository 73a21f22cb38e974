import { inTransaction } from '#app/database/transaction'
import { appendEvents } from '#app/event_log/append'
import type { EventPlace } from '#app/event_log/place'
import { endOfLog, readEvents } from '#app/event_log/read'
import {
  LOGGED_REVOCATIONS,
  toRevocation,
  type Revocation,
} from '#app/event_log/revocations/revocation'

/**
 * `place` is where to go on from, also when there was nothing.
 */
export type RevocationPage = { revocations: Revocation[]; place: EventPlace }

/**
 * Reads on in the log of what ended or changed, from the oldest entry that is kept where no place is
 * given. Whoever always goes on from the place of the last page sees every entry, once. Throws
 * `E_CURSOR_GONE` as `readEvents` does.
 */
export async function readRevocations(
  after: EventPlace | undefined,
  limit: number
): Promise<RevocationPage> {
  const page = await readEvents({ after, limit, types: LOGGED_REVOCATIONS })
  const revocations = page.events.map(toRevocation)
  return { revocations, place: page.place ?? (await firstPlace()) }
}

/**
 * The place from which `readRevocations` reads what happens from now on.
 */
export async function presentPlace(): Promise<EventPlace> {
  return (await endOfLog()) ?? firstPlace()
}

/**
 * A log without an entry gives no place, and a consumer that had none would not notice that the log was
 * replaced: so the first consumer gives it its first entry.
 */
async function firstPlace(): Promise<EventPlace> {
  await inTransaction((trx) =>
    appendEvents(trx, [{ type: 'log.started', userId: null, actor: 'system' }])
  )
  const { events } = await readEvents({ limit: 1 })
  return events[0].place
}
