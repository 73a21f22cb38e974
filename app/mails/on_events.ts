import db from '@adonisjs/lucid/services/db'
import { namesOfLiveKeys } from '#app/api_keys/api_key'
import { shownDevice, type Device } from '#app/devices/device'
import { onCommit, type NewEvent } from '#app/event_log/append'
import { isKnownDevice } from '#app/sessions/known_device'
import { BoundedCache } from '#app/bounded_cache'
import clock from '#app/clock'
import { SESSION_COLUMNS, toSession } from '#app/sessions/session'
import sessionsConfig from '#config/sessions'
import { notices, notify } from '#mails/mail_queue'
import ApiKeyCreatedMail from '#mails/api_key_created_mail'
import NewDeviceMail from '#mails/new_device_mail'
import PasswordChangedMail from '#mails/password_changed_mail'
import TokenReuseMail from '#mails/token_reuse_mail'
import User from '#models/user'

/**
 * Mails people what the log says of their accounts: registered once, it hears of every commit of
 * this process. The work is done in the background, behind the request.
 */
export function mailOnEvents(): () => void {
  return onCommit((events) => {
    for (const event of events) {
      const mail = mailFor(event)
      if (mail) notices.add(mail)
    }
  })
}

const HOUR = 60 * 60 * 1000
const MAILS_AN_HOUR = 10

/**
 * When users were mailed about new devices by this node.
 */
const lately = new BoundedCache<number, number[]>(10_000)

type Logged = NewEvent & { occurredAt?: Date }

function mailFor(event: Logged): (() => Promise<void>) | undefined {
  const { type, userId, sessionId, reason, data } = event
  if (userId === null) return undefined
  if (type === 'session.opened' && sessionId && !data?.atSignUp && sessionsConfig.notifyNewDevice) {
    return () => mailNewDevice(userId, sessionId)
  }
  if (type === 'session.ended' && reason === 'token_reuse') {
    return () => mailTo(userId, () => new TokenReuseMail(data!.device as Device, event.occurredAt!))
  }
  if (type === 'password.changed') {
    return () => mailTo(userId, (keys) => new PasswordChangedMail(event.occurredAt!, keys))
  }
  if (type === 'api_key.created') {
    const name = String(data!.name)
    return () => mailTo(userId, () => new ApiKeyCreatedMail(name, event.occurredAt!))
  }
  return undefined
}

/**
 * `write` gets the names of the user's live API keys, newest first.
 */
async function mailTo(
  userId: number,
  write: (keys: string[]) => Parameters<typeof notify>[1]
): Promise<void> {
  const user = await User.find(userId)
  if (!user) return
  notify(user, write(await namesOfLiveKeys(db.connection(), user)))
}

/**
 * Tells of a session on a device that the account does not know. A node mails an account
 * ten in an hour at most, whoever signs in: its mailbox is not flooded, and its owner has been told.
 */
async function mailNewDevice(userId: number, sessionId: string): Promise<void> {
  const row = await db
    .from('sessions')
    .where('id', sessionId)
    .select(...SESSION_COLUMNS)
    .first()
  if (!row) return
  const session = toSession(row)
  if (await isKnownDevice(session)) return
  const recent = (lately.get(userId) ?? []).filter((at) => at > clock.millis() - HOUR)
  if (recent.length >= MAILS_AN_HOUR) return
  lately.set(userId, [...recent, clock.millis()])
  const signIn = { device: shownDevice(session), ip: session.ip, createdAt: session.createdAt }
  await mailTo(userId, (keys) => new NewDeviceMail(signIn, keys))
}
