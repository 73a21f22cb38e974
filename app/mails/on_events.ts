import type { Statement } from '#app/database/sql'
import type { Device } from '#app/devices/device'
import { alongside, type NewEvent } from '#app/event_log/append'
import sessionsConfig from '#config/sessions'
import { queueMail, type Letter } from '#mails/outbox'

/**
 * Mails people what the log says of their accounts, in the transaction that writes it there.
 */
export function mailOnEvents(): () => void {
  return alongside(async (trx, events) => {
    const letters = events.flatMap((event) => {
      const letter = event.userId === null ? undefined : letterFor(event)
      return letter ? [{ userId: event.userId!, letter }] : []
    })
    await Promise.all(
      letters.map(({ userId, letter }) => queueMail(trx, { userId }, letter, conditionOf(letter)))
    )
  })
}

function letterFor(event: NewEvent & { occurredAt: Date }): Letter | undefined {
  const { type, sessionId, reason, data, occurredAt: at } = event
  if (type === 'session.opened' && data?.kind === 'support') {
    if (!sessionsConfig.notifySupport) return undefined
    return { kind: 'support_session', at, until: String(data.until) }
  }
  if (type === 'session.opened' && sessionId && !data?.atSignUp && sessionsConfig.notifyNewDevice) {
    return { kind: 'new_device', sessionId }
  }
  if (type === 'session.ended' && reason === 'token_reuse') {
    return { kind: 'token_reuse', device: data!.device as Device, at }
  }
  if (type === 'password.changed') return { kind: 'password_changed', at }
  if (type === 'api_key.created') return { kind: 'api_key_created', name: String(data!.name), at }
  return undefined
}

/**
 * Most sign-ins come from the device and the place of an earlier one, and cost no row. Whether the
 * others are from a known device is looked into when the mail is written (#app/sessions/known_device).
 */
function conditionOf(letter: Letter): Statement | undefined {
  if (letter.kind !== 'new_device') return undefined
  const same = (column: string) => `earlier.${column} IS NOT DISTINCT FROM opened.${column}`
  const unnamed = ['ip', 'user_agent', 'device_name', 'platform'].map(same).join(' AND ')
  return {
    sql: `NOT EXISTS (
        SELECT 1 FROM sessions AS opened JOIN sessions AS earlier
          ON earlier.user_id = opened.user_id AND earlier.seq < opened.seq
        WHERE opened.id = ? AND (
          earlier.device_id = opened.device_id
          OR (opened.device_id IS NULL AND opened.ip IS NOT NULL AND ${unnamed})
        )
      )`,
    bindings: [letter.sessionId],
  }
}
