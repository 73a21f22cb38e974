import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { issueTokens, type IssuedTokens } from '#sessions/issue_tokens'
import type { Session } from '#sessions/session'

/**
 * Gives a live session new tokens in place of those it has, whose holders learn from now on that
 * they have expired (`rotated`) and that a newer one exists. For use in a transaction that holds
 * the row of the session's user and found the session alive (`withLiveSession`).
 */
export async function replaceTokens(
  trx: TransactionClientContract,
  session: Pick<Session, 'id' | 'userId' | 'expiresAt'>,
  values: { access: string; refresh: string }
): Promise<IssuedTokens> {
  await trx.rawQuery(
    `INSERT INTO ended_tokens (hash, type, session_id, user_id, reason, ended_at)
     SELECT hash, type, session_id, tokenable_id, 'rotated', ? FROM api_tokens WHERE session_id = ?`,
    [clock.now(), session.id]
  )
  await trx.rawQuery('DELETE FROM api_tokens WHERE session_id = ?', [session.id])
  return issueTokens(trx, session, values)
}
