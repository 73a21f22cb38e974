import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { keysOfUser } from '#app/api_keys/api_key'
import clock from '#app/clock'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/log_out'
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

type KeyToEnd = { id: number; userId: number; name: string | null }

/**
 * A key to end, of its row in `api_tokens` (`id`, `tokenable_id`, `name`).
 */
export function toKeyToEnd(row: {
  id: number | string
  tokenable_id: number
  name: string | null
}): KeyToEnd {
  return { id: Number(row.id), userId: row.tokenable_id, name: row.name }
}

/**
 * Ends API keys. Everything that ends one comes through here: the keys are deleted, what explains
 * them to their holder is kept, the log is written, together with the caller's transaction, which
 * holds the rows of the keys' users (#app/sessions/user_lock) and found the keys under that lock.
 */
export async function endApiKeys(
  trx: TransactionClientContract,
  keys: KeyToEnd[],
  ending: KeyEnding
): Promise<void> {
  if (keys.length === 0) return
  const at = ending.at ?? clock.now()
  const apiKeys = keys.map((key) => key.id)
  await revokeTokens(trx, { apiKeys }, { reason: ending.reason, at })
  await appendEvents(
    trx,
    keys.map((key) => ({
      type: 'api_key.ended',
      userId: key.userId,
      reason: ending.reason,
      actor: ending.actor,
      occurredAt: at,
      data: { id: key.id, name: key.name, ...(ending.note && { note: ending.note }) },
    }))
  )
}

/**
 * Ends one API key, if it still is there, under the lock of its user.
 */
export async function endApiKey(key: Omit<KeyToEnd, 'name'>, ending: KeyEnding): Promise<void> {
  await withUserLock(key.userId, async (trx) => {
    const found = await trx.from('api_tokens').where({ id: key.id, type: 'api_key' }).first()
    if (found) await endApiKeys(trx, [toKeyToEnd(found)], ending)
  })
}

/**
 * Ends an API key of the user who speaks through `acting`. Throws `E_NOT_FOUND` for what is no key
 * of this user, and `E_SESSION_ENDED` when `acting` ended meanwhile.
 */
export async function deleteApiKey(acting: Session, id: number): Promise<void> {
  await withLiveSession(acting, async (trx, user) => {
    const key = await keysOfUser(trx, user).where('id', id).first()
    if (!key) throw new E_NOT_FOUND()
    await endApiKeys(trx, [{ id, userId: user.id, name: key.name }], {
      reason: 'logged_out_elsewhere',
      actor: `user:${user.id}`,
    })
  })
}
