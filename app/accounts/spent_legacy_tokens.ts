import logger from '@adonisjs/core/services/logger'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { deleteLegacyToken } from '#app/accounts/legacy_token_store'
import { BackgroundQueue } from '#app/background/background_queue'
import { inBatches } from '#app/background/batches'

type Spent = { hash: string; id: string }

/**
 * Tells operators of a deletion that failed.
 */
export function reportLeft(error: unknown): void {
  const { cause } = error as { cause?: { code?: string } }
  logger.warn(
    { code: cause?.code },
    'Tokens that were exchanged are still in the old database. Their deletion is tried again every minute.'
  )
}

/**
 * Deletions of what was just spent. Those that are lost or fail are made up for by
 * `deleteSpentTokens`.
 */
export const deletions = new BackgroundQueue({ atOnce: 2, waiting: 1_000 }, reportLeft)

/**
 * Deletes a token in the old database, behind the answer.
 */
export function deleteThere(spent: Spent): void {
  deletions.add(() => deleteAndNote(spent))
}

/**
 * Deletes in the old database what was spent here and still stands there, and returns how much that
 * was. Throws `E_UNAVAILABLE` when it can't be reached.
 */
export async function deleteSpentTokens(signal?: AbortSignal): Promise<number> {
  const { done } = await inBatches(
    async (size) => {
      const left: Spent[] = await db
        .from('spent_legacy_tokens')
        .select('hash', 'token_id as id')
        .whereNull('deleted_at')
        .limit(size)
      for (const spent of left) {
        if (signal?.aborted) break
        await deleteAndNote(spent)
      }
      return { taken: left.length, done: left.length }
    },
    { signal }
  )
  return done
}

async function deleteAndNote(spent: Spent): Promise<void> {
  await deleteLegacyToken(spent)
  await db.from('spent_legacy_tokens').where('hash', spent.hash).update({ deleted_at: clock.now() })
}
