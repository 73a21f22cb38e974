import { endApiKeys } from '#app/api_keys/end_api_keys'
import type { ServiceClient } from '#app/service_clients/service_client'
import type { TokenRecord } from '#app/token_verification/token_lookup'
import { verifyToken } from '#app/token_verification/verify_token'
import type { Actor } from '#app/event_log/actor'
import { endSession } from '#app/sessions/end'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Revokes a token on behalf of its user, RFC 7009 §2.1: an access or refresh token ends its session
 * with all its tokens, also past its time as long as no newer one has taken its place; an API key
 * ends alone. What is dead needs no revoking, and nobody learns which it was (§2.2). Tokens are not
 * issued to service clients, so any of them with the ability may revoke any token that it holds.
 *
 * The device hears `logged_out`: it is its own sign-out, by way of a service. An API key ends as if
 * its user had deleted it. The log names the service.
 */
export async function revokeToken(value: string, client: ServiceClient): Promise<void> {
  const verdict = await verifyToken(value, ['access', 'refresh', 'api_key'])
  const token = 'token' in verdict ? verdict.token : null
  if (!token) return
  const actor: Actor = `service_client:${client.id}`
  if (token.session) await endSession(token.session, { reason: 'logged_out', actor })
  else await endApiKey(token, actor)
}

async function endApiKey({ id, user }: TokenRecord, actor: Actor) {
  await withUserLock(user.id, async (trx) => {
    const key = await trx.from('api_tokens').where({ id, type: 'api_key' }).first()
    if (!key) return
    await endApiKeys(trx, [{ id, userId: user.id, name: key.name }], {
      reason: 'logged_out_elsewhere',
      actor,
    })
  })
}
