import type { IncomingMessage } from 'node:http'
import { isFromTrustedProxy } from '#app/http/client_address'
import { normalizeUrl } from '#app/auth/dpop/proof'

/**
 * The request that a proxy asks about, as Traefik and Caddy say it (`X-Forwarded-Method`, `-Proto`,
 * `-Host`, `-Uri`) and nginx is told to. A proof of possession is made for that one (RFC 9449 §4.3),
 * so a proxy must write these headers itself and pass none of a client's. Undefined where it does
 * not, or where `TRUST_PROXY` does not name it: anybody could write them, so a proof must be made for
 * this very request.
 */
export function originalRequest(
  message: IncomingMessage
): { method: string; urls: string[] } | undefined {
  if (!isFromTrustedProxy(message)) return undefined
  const { headers } = message
  const method = headers['x-forwarded-method']
  const proto = headers['x-forwarded-proto']
  const host = headers['x-forwarded-host']
  const uri = headers['x-forwarded-uri']
  if ([method, proto, host, uri].some((value) => typeof value !== 'string')) return undefined
  return { method: String(method), urls: [normalizeUrl(`${proto}://${host}${uri}`)] }
}
