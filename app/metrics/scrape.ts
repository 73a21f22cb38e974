import db from '@adonisjs/lucid/services/db'
import { hashQueue } from '#accounts/passwords'
import { endedTokens } from '#auth/explain'
import { tokenLookup } from '#auth/lookup'
import { liveSessions, openStreams, queueLength, registry } from '#app/metrics/metrics'
import { countNewSessionEnds } from '#app/metrics/session_ends'
import { sessionStreams } from '#app/streams/session_streams'

/**
 * The figures of this node and of the database behind it, in Prometheus's text format.
 */
export async function scrape(): Promise<{ contentType: string; body: string }> {
  queueLength.set({ queue: 'password_hash' }, hashQueue.waiting)
  queueLength.set({ queue: 'token_lookup' }, tokenLookup.waiting)
  queueLength.set({ queue: 'ended_token_lookup' }, endedTokens.waiting)
  openStreams.set(sessionStreams.size)
  await countNewSessionEnds()
  liveSessions.set(await countLiveSessions())
  return { contentType: registry.contentType, body: await registry.metrics() }
}

async function countLiveSessions(): Promise<number> {
  const { total } = await db
    .from('sessions')
    .whereNull('ended_at')
    .count('* as total')
    .firstOrFail()
  return Number(total)
}
