import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import type User from '#models/user'
import { setWatermarkForUser, type WatermarkOptions } from '#app/watermarks/set_watermark'
import type { Watermark } from '#app/sessions/watermark'
import { writeDueEnds, endSessions } from '#app/sessions/end'
import { matchingApiKeys, sessionsToEnd } from '#app/sessions/filters'
import { countApiKeys, countSessions, listSessions, type ListedSession } from '#app/sessions/list'

/**
 * How many sessions and API keys of one user end in one transaction. Those who have more
 * get a watermark first.
 */
const AT_ONCE = 500

/**
 * What ended. `sessions` are the first of them. With a `watermark`, all of it is stopped as soon as
 * the transaction commits, and the caller writes the ends afterwards (#app/watermarks/backfill).
 */
export type EndedAll = {
  ended: number
  apiKeysEnded: number
  sessions: ListedSession[]
  watermark: Watermark | null
}

/**
 * Ends all sessions of a user, and with `includeApiKeys` all API keys, however many, in the
 * caller's transaction, which holds the user's row.
 */
export async function endAllOfUser(
  trx: TransactionClientContract,
  user: User,
  order: WatermarkOptions
): Promise<EndedAll> {
  const filters = { userIds: [user.id] }
  const open = await sessionsToEnd(trx, filters)
    .select('sessions.id')
    .limit(AT_ONCE + 1)
  const keys = order.includeApiKeys ? await firstKeys(trx, user.id) : []

  if (open.length + keys.length > AT_ONCE) {
    const sessions = await listSessions(trx, filters, { limit: AT_ONCE })
    const ended = await countSessions(trx, filters)
    const apiKeysEnded = order.includeApiKeys ? await countApiKeys(trx, filters) : 0
    return { ended, apiKeysEnded, sessions, watermark: await setWatermarkForUser(trx, user, order) }
  }
  const { includeApiKeys, ...ending } = order
  const live = await writeDueEnds(trx, user.id)
  const { email, externalId } = user
  const sessions = live.sort(bySeq).map((session) => ({ ...session, email, externalId }))
  await endSessions(trx, sessions, ending)
  if (includeApiKeys) await endApiKeys(trx, keys, ending)
  return { ended: sessions.length, apiKeysEnded: keys.length, sessions, watermark: null }
}

const bySeq = (a: { seq: number }, b: { seq: number }) => a.seq - b.seq

async function firstKeys(trx: TransactionClientContract, userId: number) {
  const found = await matchingApiKeys(trx, { userIds: [userId] })
    .select('id')
    .limit(AT_ONCE + 1)
  return found.map((row) => Number(row.id))
}
