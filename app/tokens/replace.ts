import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { pipeline } from '#app/database/pipeline'
import clock from '#app/clock'
import { issueTokens, type IssuedTokens, type TokenOwner } from '#app/tokens/issue'
import { revokeTokens } from '#app/tokens/revoke'

/**
 * Gives a live session new tokens in place of those it has, whose holders learn from now on that
 * they have expired (`rotated`) and that a newer one exists. For use in a transaction that holds
 * the row of the session's user and found the session alive (`withLiveSession`).
 */
export async function replaceTokens(
  trx: TransactionClientContract,
  session: TokenOwner,
  values: { access: string; refresh: string }
): Promise<IssuedTokens> {
  const { issued, statement } = issueTokens(session, values)
  await pipeline(trx, [
    ...revokeTokens(trx, { sessions: [session.id] }, { reason: 'rotated', at: clock.now() }),
    statement,
  ])
  return issued
}
