import db from '@adonisjs/lucid/services/db'
import { notices, notify } from '#mails/mail_queue'
import sessionsConfig from '#config/sessions'
import NewDeviceMail from '#mails/new_device_mail'
import type User from '#models/user'
import { shownDevice } from '#app/devices/device'
import type { Session } from '#app/sessions/session'

/**
 * Mails the user when a session was opened on a device that none of their earlier sessions on
 * record knows: by its id or, where it has none, by name and platform (by user agent where it has
 * no name either). In the background, behind the sign-in.
 */
export function noticeNewDevice(user: Pick<User, 'email'>, session: Session): void {
  if (!sessionsConfig.notifyNewDevice) return
  notices.add(async () => {
    if (await isKnown(session)) return
    notify(user, new NewDeviceMail({ ...session, device: shownDevice(session) }))
  })
}

async function isKnown({ id, userId, device, userAgent }: Session): Promise<boolean> {
  const seq = db.from('sessions').where('id', id).select('seq')
  const query = db.from('sessions').where('user_id', userId).where('seq', '<', seq).select('seq')
  if (device.id !== null) query.where('device_id', device.id)
  else {
    query.where({ device_name: device.name, platform: device.platform })
    if (device.name === null) query.where({ user_agent: userAgent })
  }
  return (await query.first()) !== null
}
