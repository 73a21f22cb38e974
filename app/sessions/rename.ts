import { E_NOT_FOUND } from '#exceptions/errors'
import { withLiveSession } from '#app/sessions/log_out'
import type { Session } from '#app/sessions/session'

/**
 * Gives the device of one of the user's live sessions a name. Returns the session as it is then.
 *
 * Throws `E_NOT_FOUND` for an id that is no live session of the user who speaks through `acting`,
 * and `E_SESSION_ENDED` when `acting` ended meanwhile.
 */
export async function renameSession(
  acting: Session,
  sessionId: string,
  name: string
): Promise<Session> {
  return withLiveSession(acting, async (trx, _, live) => {
    const session = live.find(({ id }) => id === sessionId)
    if (!session) throw new E_NOT_FOUND()
    await trx.from('sessions').where('id', session.id).update({ device_name: name })
    return { ...session, device: { ...session.device, name } }
  })
}
