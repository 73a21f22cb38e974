import type { BaseMail } from '@adonisjs/mail'
import db from '@adonisjs/lucid/services/db'
import { namesOfLiveKeys } from '#app/api_keys/api_key'
import { BoundedCache } from '#app/bounded_cache'
import clock from '#app/clock'
import { shownDevice } from '#app/devices/device'
import { isKnownDevice } from '#app/sessions/known_device'
import { SESSION_COLUMNS, toSession } from '#app/sessions/session'
import { hashToken } from '#app/tokens/token'
import ApiKeyCreatedMail from '#mails/api_key_created_mail'
import ConfirmEmailMail from '#mails/confirm_email_mail'
import EmailChangeMail from '#mails/email_change_mail'
import { tokenOfLink, urlOfLink, type MailedLink } from '#mails/link'
import NewDeviceMail from '#mails/new_device_mail'
import type { MailKind, TakenMail } from '#mails/outbox'
import PasswordChangedMail from '#mails/password_changed_mail'
import PasswordResetMail from '#mails/password_reset_mail'
import SignUpAgainMail from '#mails/sign_up_again_mail'
import SupportSessionMail from '#mails/support_session_mail'
import TokenReuseMail from '#mails/token_reuse_mail'

type Writer = (mail: TakenMail) => Promise<BaseMail | null>

const writers: Record<MailKind, Writer> = {
  password_reset: async (mail) => {
    const url = await urlOfLiveLink(mail.data.link)
    return url === null ? null : new PasswordResetMail(url, await keysOf(mail))
  },
  sign_up_again: async ({ data }) => {
    const url = await urlOfLiveLink(data.link)
    return url === null ? null : new SignUpAgainMail(url, data.isDisputed)
  },
  confirm_email: async ({ data }) => {
    const url = await urlOfLiveLink(data.link)
    return url === null ? null : new ConfirmEmailMail(url)
  },
  email_change: async ({ data }) => new EmailChangeMail(new Date(data.at)),
  new_device: writeNewDevice,
  token_reuse: async ({ data }) => new TokenReuseMail(data.device, new Date(data.at)),
  password_changed: async (mail) =>
    new PasswordChangedMail(new Date(mail.data.at), await keysOf(mail)),
  support_session: async ({ data }) =>
    new SupportSessionMail(new Date(data.at), new Date(data.until)),
  api_key_created: async ({ data }) => new ApiKeyCreatedMail(data.name, new Date(data.at)),
}

/**
 * The mail for a letter; null when there is nothing to tell any more: its link is dead, the device was
 * known after all.
 */
export function writeMail(mail: TakenMail): Promise<BaseMail | null> {
  return writers[mail.kind](mail)
}

function keysOf({ userId }: TakenMail): Promise<string[]> {
  return namesOfLiveKeys(db.connection(), { id: userId })
}

/**
 * Null also when `APP_KEY` has changed since: the link then has another token than the database knows.
 */
async function urlOfLiveLink(link: MailedLink): Promise<string | null> {
  const hash = hashToken(tokenOfLink(link))
  const row = await db.from('password_resets').where('hash', hash).select('hash').first()
  return row ? urlOfLink(link) : null
}

const HOUR = 60 * 60 * 1000
const MAILS_AN_HOUR = 10

/**
 * When users were mailed about new devices by this node.
 */
const lately = new BoundedCache<number, number[]>(10_000)

/**
 * Tells of a session on a device that the account does not know. A node mails an account
 * ten in an hour at most, whoever signs in: its mailbox is not flooded, and its owner has been told.
 */
async function writeNewDevice(mail: TakenMail): Promise<NewDeviceMail | null> {
  const row = await db
    .from('sessions')
    .where('id', mail.data.sessionId)
    .select(...SESSION_COLUMNS)
    .first()
  if (!row) return null
  const session = toSession(row)
  if (await isKnownDevice(session)) return null
  if (mail.attempts === 1 && !takeTurn(mail.userId)) return null
  const signIn = { device: shownDevice(session), ip: session.ip, createdAt: session.createdAt }
  return new NewDeviceMail(signIn, await keysOf(mail))
}

function takeTurn(userId: number): boolean {
  const recent = (lately.get(userId) ?? []).filter((at) => at > clock.millis() - HOUR)
  if (recent.length >= MAILS_AN_HOUR) return false
  lately.set(userId, [...recent, clock.millis()])
  return true
}
