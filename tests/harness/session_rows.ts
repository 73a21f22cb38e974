import db from '@adonisjs/lucid/services/db'

/**
 * What stands in the database of a session, its times in milliseconds.
 */
export async function sessionRow(id: string) {
  const row = await db.from('sessions').where('id', id).firstOrFail()
  const time = (value: unknown) => (value === null ? null : new Date(value as string).getTime())
  return {
    lastSeenAt: time(row.last_seen_at)!,
    expiresAt: time(row.expires_at)!,
    endedAt: time(row.ended_at),
    endReason: row.end_reason as string | null,
  }
}
