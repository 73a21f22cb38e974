import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { inTransaction } from '#app/database/transaction'
import clock from '#app/clock'
import { idleTimeout } from '#config/sessions'
import type User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { toWatermark, type Watermark } from '#app/sessions/watermark'
import type { EndReason } from '#exceptions/end_reasons'

/**
 * How a watermark ends what it covers.
 */
export type WatermarkOptions = {
  reason: EndReason
  actor: Actor
  note?: string | null
  includeApiKeys: boolean
}

/**
 * Milliseconds that a watermark for everyone waits for sign-ins under way. They take a few.
 */
const WAIT_FOR_SIGN_INS = 500

/**
 * Stops every token of everyone at one commit. `alongside` runs in its transaction, before
 * the watermark is set.
 *
 * Sign-ins that are under way commit first and are covered; those that begin meanwhile wait for
 * these few milliseconds, draw a higher number, and live. Should somebody hold on to a user for too
 * long, the watermark is set without waiting: then its number decides whether a sign-in under way is
 * covered or lives, and a number never changes.
 */
export async function setWatermarkForEveryone(
  order: WatermarkOptions,
  alongside: (trx: TransactionClientContract) => Promise<void>
): Promise<Watermark> {
  const attempt = (wait: boolean) =>
    inTransaction(async (trx) => {
      if (wait) await waitForSignIns(trx)
      await alongside(trx)
      return insertWatermark(trx, null, order)
    })
  try {
    return await attempt(db.connection().dialect.name === 'postgres')
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error
    return attempt(false)
  }
}

/**
 * Stops every token of a user, whose row the transaction holds: for those who have very many.
 */
export async function setWatermarkForUser(
  trx: TransactionClientContract,
  user: User,
  order: WatermarkOptions
): Promise<Watermark> {
  const watermark = await insertWatermark(trx, user.id, order)
  user.watermarkSeq = Math.max(user.watermarkSeq, watermark.sessionSeq)
  user.watermarkApiKeyId = Math.max(user.watermarkApiKeyId, watermark.apiKeyId)
  await user.useTransaction(trx).save()
  return watermark
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Lets those finish who hold a user's row, and new ones wait; reads go on. A sign-in that has looked
 * for watermarks already would otherwise evict what this one covers, and give another reason.
 */
async function waitForSignIns(trx: TransactionClientContract) {
  await trx.rawQuery(`SET LOCAL lock_timeout = ${WAIT_FOR_SIGN_INS}`)
  await trx.rawQuery('LOCK TABLE users IN EXCLUSIVE MODE')
}

/**
 * The highest numbers given out so far are the watermark. Token ids of all kinds count up together, so
 * the highest of any kind is one for API keys. The log tells of it in the same commit: who caches what he
 * was told of tokens must not wait until the end of each is written.
 */
async function insertWatermark(
  trx: TransactionClientContract,
  userId: number | null,
  { reason, actor, note, includeApiKeys }: WatermarkOptions
): Promise<Watermark> {
  const [sessions] = await trx.from('sessions').max('seq as highest')
  const [tokens] = includeApiKeys ? await trx.from('api_tokens').max('id as highest') : []
  const row = {
    user_id: userId,
    session_seq: Number(sessions?.highest ?? 0),
    api_key_id: Number(tokens?.highest ?? 0),
    reason,
    note: note ?? null,
    actor,
    idle_timeout: idleTimeout(),
    created_at: clock.now(),
    finished_at: null,
  }
  const [inserted] = await trx.table('cutoffs').returning('id').insert(row)
  await appendEvents(trx, [
    {
      type: 'watermark',
      userId,
      reason,
      actor,
      occurredAt: row.created_at,
      data: { apiKeys: includeApiKeys, ...(note && { note }) },
    },
  ])
  return toWatermark({ ...row, id: Number(inserted?.id ?? inserted) })
}
