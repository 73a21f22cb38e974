import db from '@adonisjs/lucid/services/db'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import clock from '#app/clock'
import { inBatches, type Watch } from '#app/background/batches'
import { toWatermark, type Watermark } from '#app/sessions/watermark'
import { writeWatermarkEnds, COVERED_COLUMNS, toCoveredSession } from '#app/sessions/end'
import { renewJobClaim } from '#app/background/scheduled_job'
import { stepUnderLocks } from '#app/sessions/user_lock'

/**
 * The name of this work among the regular ones (#app/background/scheduled_job).
 */
export const FINISHING = 'finish_cutoffs'

/**
 * Milliseconds between two signs of life of a run.
 */
const SIGN_OF_LIFE = 10_000

/**
 * What a run has written. `complete`: nothing is left.
 */
export type Finished = { ended: number; apiKeysEnded: number; complete: boolean }

/**
 * Writes the ends of all that watermarks have stopped, in batches, oldest watermark first, each with
 * the time and actor of its watermark. Takes up what a process that died has left; several at once do
 * no harm. With `only`, the others are left alone.
 */
export async function backfillWatermarks(
  watch: Watch & { only?: number[] } = {}
): Promise<Finished> {
  const total: Finished = { ended: 0, apiKeysEnded: 0, complete: true }
  for (const watermark of await unfinishedWatermarks(watch.only)) {
    const ended = await backfillWatermark(watermark, watch)
    total.ended += ended.ended
    total.apiKeysEnded += ended.apiKeysEnded
    if (!ended.complete) return { ...total, complete: false }
  }
  return total
}

/**
 * Watermarks whose rows are not all ended, oldest first.
 */
async function unfinishedWatermarks(only?: number[]): Promise<Watermark[]> {
  const query = db.from('cutoffs').whereNull('finished_at').orderBy('id')
  if (only) query.whereIn('id', only)
  const found = await query
  return found.map(toWatermark)
}

/**
 * How many sessions and API keys unfinished watermarks have left to write.
 */
export async function countLeft(only?: number[]): Promise<number> {
  let left = 0
  for (const watermark of await unfinishedWatermarks(only)) {
    const [sessions] = await unended(watermark).count('* as total')
    const [keys] = await unendedKeys(watermark).count('* as total')
    left += Number(sessions.total) + Number(keys.total)
  }
  return left
}

/**
 * How many sessions a watermark has ended, whoever wrote those ends: a sign-in writes some of
 * its user's.
 */
export async function countEndedBy(watermark: Watermark): Promise<number> {
  const { total } = await db
    .from('sessions')
    .where('ended_at', watermark.at)
    .where('ended_by', watermark.actor)
    .where('end_reason', watermark.reason)
    .where('seq', '<=', watermark.sessionSeq)
    .count('* as total')
    .firstOrFail()
  return Number(total)
}

async function backfillWatermark(watermark: Watermark, watch: Watch): Promise<Finished> {
  const sessions = await inBatches(alive(sessionStep(watermark)), watch)
  const keys = sessions.complete
    ? await inBatches(alive(keyStep(watermark)), watch)
    : { done: 0, complete: false }
  if (keys.complete) {
    await db
      .from('cutoffs')
      .where('id', watermark.id)
      .whereNull('finished_at')
      .update({ finished_at: clock.now() })
  }
  return { ended: sessions.done, apiKeysEnded: keys.done, complete: keys.complete }
}

/**
 * A step that shows now and then that the run is alive, so that no server takes it up meanwhile.
 */
function alive<Result>(step: (size: number) => Promise<Result>) {
  let shownAt = -Infinity
  return async (size: number): Promise<Result> => {
    if (performance.now() - shownAt > SIGN_OF_LIFE) {
      await renewJobClaim(FINISHING)
      shownAt = performance.now()
    }
    return step(size)
  }
}

function sessionStep(watermark: Watermark) {
  const left = () => unended(watermark)
  return stepUnderLocks({ left, number: 'seq', owner: 'user_id' }, async (trx, seqs) => {
    const open = await trx
      .from('sessions')
      .select(trx.raw(COVERED_COLUMNS))
      .whereIn('seq', seqs)
      .whereNull('ended_at')
    return writeWatermarkEnds(trx, open.map(toCoveredSession))
  })
}

function keyStep(watermark: Watermark) {
  const left = () => unendedKeys(watermark)
  return stepUnderLocks({ left, number: 'id', owner: 'tokenable_id' }, (trx, ids) =>
    endApiKeys(trx, ids, null)
  )
}

function unended(watermark: Watermark) {
  const query = db.from('sessions').whereNull('ended_at').where('seq', '<=', watermark.sessionSeq)
  if (watermark.userId !== null) query.where('user_id', watermark.userId)
  return query
}

/**
 * Keys that had expired before the watermark was set do not end by it.
 */
function unendedKeys(watermark: Watermark) {
  const query = db
    .from('api_tokens')
    .where('type', 'api_key')
    .where('id', '<=', watermark.apiKeyId)
    .where((valid) => {
      valid.whereNull('expires_at').orWhere('expires_at', '>', watermark.at)
    })
  if (watermark.userId !== null) query.where('tokenable_id', watermark.userId)
  return query
}
