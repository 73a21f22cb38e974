import db from '@adonisjs/lucid/services/db'
import logger from '@adonisjs/core/services/logger'
import { BackgroundQueue } from '#app/background/background_queue'
import { BY_EMAIL, byEmail } from '#app/accounts/by_email'
import { rows } from '#app/database/sql'
import { notify } from '#mails/mail_queue'
import { mintReset } from '#app/accounts/password_resets'
import { appUrl } from '#config/app'
import { E_UNAVAILABLE } from '#exceptions/errors'
import PasswordResetMail from '#mails/password_reset_mail'
import { appendEvents } from '#app/event_log/append'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Reset links to be made and mailed.
 */
export const resetRequests = new BackgroundQueue({ atOnce: 1, waiting: 1_000 }, (error) => {
  const { code, name } = (error ?? {}) as { code?: string; name?: string }
  logger.warn({ code, name }, 'A reset link could not be made.')
})

/**
 * No user has this id. An unknown e-mail goes the same way with it, so that the load of one
 * request tells the next one nothing.
 */
const NOBODY = 0

/**
 * Takes a request for a reset link. One read, the same for known and unknown e-mails, shows that
 * the database answers; the rest happens behind the answer, whose time so tells nothing.
 *
 * Throws `E_UNAVAILABLE` when too many wait, and whatever the database throws.
 */
export async function forgotPassword(email: string): Promise<void> {
  if (resetRequests.isFull) throw new E_UNAVAILABLE()
  const known = await rows<{ id: number }>(
    db.connection('lookup'),
    `SELECT id FROM users WHERE ${BY_EMAIL}`,
    byEmail(email) ?? ['', '', '']
  )
  const userId: number | null = known[0]?.id ?? null
  resetRequests.add(async () => {
    await mailResetLink(userId ?? NOBODY)
  })
}

/**
 * A disabled account gets no link. The link leads to `APP_URL`, whatever the request said of
 * hosts, and carries the token behind `#`, which browsers send to no server, so that it reaches no
 * log on the way.
 */
async function mailResetLink(userId: number): Promise<void> {
  const made = await withUserLock(userId, async (trx, user) => {
    if (!user || user.isDisabled) return null
    const token = await mintReset(trx, user.id)
    if (token === null) return null
    await appendEvents(trx, [
      { type: 'password.reset_requested', userId: user.id, actor: 'system' },
    ])
    return { user, token }
  })
  if (!made) return
  notify(made.user, new PasswordResetMail(`${appUrl}/reset-password#token=${made.token}`))
}
