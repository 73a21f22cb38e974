import { endApiKey } from '#app/api_keys/end_api_keys'
import type { ServiceClient } from '#app/service_clients/service_client'
import { verifyToken } from '#app/token_verification/verify_token'
import { clientActor } from '#app/event_log/actor'
import { endSession } from '#app/sessions/end'

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
  const actor = clientActor(client.id)
  if (token.session) await endSession(token.session, { reason: 'logged_out', actor })
  else {
    const key = { id: token.id, userId: token.user.id }
    await endApiKey(key, { reason: 'logged_out_elsewhere', actor })
  }
}
