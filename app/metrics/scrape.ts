import db from '@adonisjs/lucid/services/db'
import { liveSessions, registry } from '#app/metrics/metrics'
import { countNewSessionEnds } from '#app/metrics/session_ends'

/**
 * The figures of this node and of the database behind it, in Prometheus's text format.
 */
export async function scrape(): Promise<{ contentType: string; body: string }> {
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
