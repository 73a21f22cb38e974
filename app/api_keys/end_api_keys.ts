import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { keysOfUser } from '#app/api_keys/api_key'
import clock from '#app/clock'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { inList, rows } from '#app/database/sql'
import { FIRST_KEY_WATERMARK_SQL, readWatermarks } from '#app/sessions/watermark'
import { toDate, type StoredInstant } from '#models/instant'
import { withLiveSession } from '#app/sessions/with_live_session'
import type { Session } from '#app/sessions/session'
import { withUserLock } from '#app/sessions/user_lock'
import { revokeTokens } from '#app/tokens/revoke'
import type { EndReason } from '#exceptions/end_reasons'
import { E_NOT_FOUND } from '#exceptions/errors'

/**
 * How API keys end: why, by whom, and what to remember of it.
 */
export type KeyEnding = {
  reason: EndReason
  actor: Actor
  /** When; the present unless a watermark ended them earlier. */
  at?: Date
  /** What the admin wrote as the reason. For the log, not for the holder. */
  note?: string | null
}

/**
 * Ends API keys, by their ids. Everything that ends one comes through here: the keys are deleted, what
 * explains them to their holder is kept, the log is written, together with the caller's transaction,
 * which holds the rows of the keys' users (#app/sessions/user_lock).
 *
 * A key that had expired, or that a watermark had ended, ends by that, whichever came first: so the
 * first reason stays the reason. `ending` is for the others; null leaves them alone. Returns how many
 * ended otherwise than by time.
 */
export async function endApiKeys(
  trx: TransactionClientContract,
  ids: number[],
  ending: KeyEnding | null
): Promise<number> {
  if (ids.length === 0) return 0
  const byId = inList(trx, 'id', 'int8', ids)
  const keys = await rows<KeyRow>(
    trx,
    `SELECT id, tokenable_id, name, expires_at, ${FIRST_KEY_WATERMARK_SQL} AS watermark_id
     FROM api_tokens WHERE type = 'api_key' AND ${byId.sql}`,
    [byId.binding]
  )
  const covering = keys.map((key) => key.watermark_id).filter((id) => id !== null)
  const watermarks = await readWatermarks(trx, [...new Set(covering)])
  const hasExpired = (key: KeyRow) => {
    const watermark = watermarks.find(({ id }) => id === key.watermark_id)
    return key.expires_at !== null && toDate(key.expires_at) <= (watermark?.at ?? clock.now())
  }
  const [expired, others] = [keys.filter(hasExpired), keys.filter((key) => !hasExpired(key))]
  for (const key of expired) {
    const at = toDate(key.expires_at!)
    await writeEnds(trx, [key], { reason: 'expired', actor: 'system', at })
  }
  for (const watermark of watermarks) {
    const covered = others.filter((key) => key.watermark_id === watermark.id)
    await writeEnds(trx, covered, watermark)
  }
  const live = others.filter((key) => key.watermark_id === null)
  if (!ending) return others.length - live.length
  await writeEnds(trx, live, ending)
  return others.length
}

type KeyRow = {
  id: number | string
  tokenable_id: number
  name: string | null
  expires_at: StoredInstant | null
  watermark_id: number | null
}

async function writeEnds(
  trx: TransactionClientContract,
  keys: KeyRow[],
  { reason, actor, note, at = clock.now() }: KeyEnding
): Promise<void> {
  if (keys.length === 0) return
  const apiKeys = keys.map((key) => Number(key.id))
  await revokeTokens(trx, { apiKeys }, { reason, at })
  await appendEvents(
    trx,
    keys.map((key) => ({
      type: 'api_key.ended',
      userId: key.tokenable_id,
      reason,
      actor,
      occurredAt: at,
      data: { id: Number(key.id), name: key.name, ...(note && { note }) },
    }))
  )
}

/**
 * Ends one API key, if it still is there, under the lock of its user. `ending` as for `endApiKeys`.
 */
export async function endApiKey(
  key: { id: number; userId: number },
  ending: KeyEnding | null
): Promise<void> {
  await withUserLock(key.userId, (trx) => endApiKeys(trx, [key.id], ending))
}

/**
 * Ends an API key of the user who speaks through `acting`. Throws `E_NOT_FOUND` for what is no key
 * of this user, and `E_SESSION_ENDED` when `acting` ended meanwhile.
 */
export async function deleteApiKey(acting: Session, id: number): Promise<void> {
  await withLiveSession(acting, async (trx, user) => {
    const key = await keysOfUser(trx, user).where('id', id).select('id').first()
    if (!key) throw new E_NOT_FOUND()
    await endApiKeys(trx, [id], {
      reason: 'logged_out_elsewhere',
      actor: `user:${user.id}`,
    })
  })
}
