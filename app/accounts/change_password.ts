import { namesOfLiveKeys } from '#app/api_keys/api_key'
import { setPassword } from '#app/accounts/password_reset'
import { confirmOwner } from '#app/accounts/confirm_owner'
import type { Caller } from '#app/background/semaphore'
import { refuseGuessable } from '#app/passwords/guessable'
import { hashPassword } from '#app/passwords/passwords'
import { endSessions } from '#app/sessions/end'
import { withLiveSession } from '#app/sessions/with_live_session'
import type { Session } from '#app/sessions/session'
import { replaceTokens, type IssuedTokens } from '#app/tokens/issue'
import { mintToken } from '#app/tokens/token'
import { E_INVALID_CREDENTIALS } from '#exceptions/errors'

/**
 * Changes the password of the user who speaks through `acting`, which gets new tokens; its old
 * ones are spent. The user's other sessions end (`password_changed`) unless `keepOthers`. Also
 * returns how many API keys live on.
 *
 * Throws what `confirmOwner` throws, `E_INVALID_CREDENTIALS` when the password has changed meanwhile, and
 * `E_SESSION_ENDED` when `acting` ended meanwhile. Then nothing has changed.
 */
export async function changePassword(
  acting: Session,
  change: { currentPassword?: string; password: string; keepOthers?: boolean },
  caller?: Caller
): Promise<{ tokens: IssuedTokens; keys: number }> {
  const verified = await confirmOwner(acting, change.currentPassword, caller)
  await refuseGuessable(change.password, verified.email)
  const hashed = await hashPassword(change.password, caller)

  return withLiveSession(acting, async (trx, user, live) => {
    if (user.password !== verified.password) throw new E_INVALID_CREDENTIALS()
    const actor = `user:${user.id}` as const
    await setPassword(trx, user, hashed, { actor, means: 'change' })
    if (!change.keepOthers) {
      const others = live.filter((session) => session.id !== acting.id)
      await endSessions(trx, others, { reason: 'password_changed', actor })
    }
    const tokens = await replaceTokens(trx, acting, {
      access: mintToken('access'),
      refresh: mintToken('refresh'),
    })
    const keys = await namesOfLiveKeys(trx, user)
    return { tokens, keys: keys.length }
  })
}
