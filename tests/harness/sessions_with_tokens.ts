import { randomUUID } from 'node:crypto'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { hashToken, mintToken } from '#app/tokens/token'

const DAY = 24 * 60 * 60 * 1000
const ROWS = 500

/**
 * Writes many sessions with one access token each straight into the database, of one user each, and
 * gives the tokens: for tests that need more of them than they have time to sign in.
 */
export async function insertSessions(count: number) {
  const now = clock.now()
  const later = new Date(now.getTime() + 30 * DAY)
  const trx = await db.transaction()
  const people = Array.from({ length: count }, (_, index) => ({
    email: `one${index}@example.com`,
    password: 'none',
    role: 'user',
    created_at: now,
    updated_at: now,
  }))
  for (let start = 0; start < count; start += ROWS) {
    await trx.table('users').multiInsert(people.slice(start, start + ROWS))
  }
  const users: { id: number }[] = await trx
    .from('users')
    .where('email', 'like', 'one%@%')
    .select('id')
  const sessions = users.map(({ id: userId }) => ({
    userId,
    sessionId: randomUUID(),
    token: mintToken('access'),
  }))
  for (let start = 0; start < count; start += ROWS) {
    const some = sessions.slice(start, start + ROWS)
    await trx.table('sessions').multiInsert(
      some.map(({ userId, sessionId }) => ({
        id: sessionId,
        user_id: userId,
        created_at: now,
        last_seen_at: now,
        expires_at: later,
      }))
    )
    await trx.table('api_tokens').multiInsert(
      some.map(({ userId, sessionId, token }) => ({
        tokenable_id: userId,
        type: 'access',
        hash: hashToken(token),
        abilities: '["*"]',
        session_id: sessionId,
        created_at: now,
        updated_at: now,
        expires_at: later,
      }))
    )
  }
  await trx.commit()
  return sessions
}
