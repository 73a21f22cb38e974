import { type EventCursor, endOfLog, readEvents, type LoggedEvent } from '#app/event_log/read'

/**
 * A place in the log as consumers keep it: opaque, so that what is inside may change.
 */
export function formatCursor({ xid, id }: EventCursor): string {
  return Buffer.from(`1:${xid}:${id}`).toString('base64url')
}

/**
 * The place behind a consumer's cursor; null when it is none of ours.
 */
export function parseCursor(cursor: string): EventCursor | null {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(cursor)) return null
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const [, xid, id] = /^1:(\d{1,15}):(\d{1,15})$/.exec(text) ?? []
  if (id === undefined) return null
  const place = { xid: Number(xid), id: Number(id) }
  return formatCursor(place) === cursor ? place : null
}

/**
 * A session that ended.
 */
export type Revocation = {
  id: number
  sessionId: string
  userId: number
  reason: string
  endedAt: Date
}

/**
 * `cursor` is the place to go on from, also when there was nothing.
 */
export type RevocationPage = { revocations: Revocation[]; cursor: EventCursor }

/**
 * Reads on in the log of ended sessions. Whoever always goes on from the cursor of the last page
 * sees every one, once.
 *
 * The end of the log is read first: what lies before it and is not on a page that has room to spare
 * is no revocation, so the cursor may pass it by.
 */
export async function readRevocations(after: EventCursor, limit: number): Promise<RevocationPage> {
  const end = await endOfLog()
  const events = await readEvents({ after, limit, types: ['session.ended'] })
  const last = events.at(-1)?.cursor ?? after
  const cursor = events.length < limit ? later(last, end) : last
  return { revocations: events.map(toRevocation), cursor }
}

function toRevocation({ id, sessionId, userId, reason, occurredAt }: LoggedEvent): Revocation {
  return { id, sessionId: sessionId!, userId: userId!, reason: reason!, endedAt: occurredAt }
}

function later(a: EventCursor, b: EventCursor): EventCursor {
  return a.xid > b.xid || (a.xid === b.xid && a.id > b.id) ? a : b
}
