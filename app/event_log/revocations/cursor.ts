import type { EventCursor } from '#app/event_log/read'

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
