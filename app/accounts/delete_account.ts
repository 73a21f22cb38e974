import type { Caller } from '#app/background/semaphore'
import { endApiKeys } from '#app/api_keys/end_api_keys'
import { keepAnAdmin } from '#app/accounts/last_admin'
import { verifyPassword } from '#app/passwords/passwords'
import { E_INVALID_CREDENTIALS } from '#exceptions/errors'
import type User from '#models/user'
import { endSessions } from '#app/sessions/end'
import { appendEvents } from '#app/event_log/append'
import { withLiveSession } from '#app/sessions/log_out'
import { SESSION_COLUMNS, toSession, type Session } from '#app/sessions/session'

/**
 * Deletes the account of the user who speaks through `acting`. Sessions and API keys end
 * (`account_deleted`) and stay explained to their holders; the user's row goes; the log keeps the
 * id and nothing that names the person.
 *
 * Throws `E_INVALID_CREDENTIALS` when the password is wrong, `E_FORBIDDEN` for the last
 * administrator, and `E_SESSION_ENDED` when `acting` ended meanwhile. Then nothing has changed.
 */
export async function deleteAccount(
  acting: Session,
  verified: User,
  currentPassword: string,
  caller?: Caller
): Promise<void> {
  const matches = await verifyPassword(verified.password, currentPassword, caller)
  if (!matches) throw new E_INVALID_CREDENTIALS()

  await withLiveSession(acting, async (trx, user) => {
    if (user.password !== verified.password) throw new E_INVALID_CREDENTIALS()
    await keepAnAdmin(trx, user)
    const ending = { reason: 'account_deleted', actor: `user:${user.id}` } as const

    /** With those that a cut-off stopped and nobody has written the end of yet. */
    const sessions = await trx
      .from('sessions')
      .select(...SESSION_COLUMNS)
      .where('user_id', user.id)
      .whereNull('ended_at')
    await endSessions(trx, sessions.map(toSession), ending)

    const keys = await trx
      .from('api_tokens')
      .select('id', 'name')
      .where('tokenable_id', user.id)
      .where('type', 'api_key')
    await endApiKeys(
      trx,
      keys.map(({ id, name }) => ({ id: Number(id), userId: user.id, name })),
      ending
    )

    appendEvents(trx, [{ type: 'user.deleted', userId: user.id, actor: ending.actor }])
    await user.useTransaction(trx).delete()
  })
}
