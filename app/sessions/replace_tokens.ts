import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { inOneGo } from '#app/database_connections/in_one_go'
import clock from '#app/clock'
import { issueTokens, type IssuedTokens } from '#sessions/issue_tokens'
import { retireTokens } from '#sessions/retire_tokens'
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
  const { issued, statement } = issueTokens(session, values)
  await inOneGo(trx, [
    ...retireTokens(trx, { sessions: [session.id] }, { reason: 'rotated', at: clock.now() }),
    statement,
  ])
  return issued
}
