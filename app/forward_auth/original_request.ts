import type { IncomingMessage } from 'node:http'
import { isFromTrustedProxy } from '#app/http/client_address'
import { normalizeUrl } from '#app/auth/dpop/proof'

/**
 * The request that a proxy asks about, as Traefik and Caddy say it (`X-Forwarded-Method`, `-Proto`,
 * `-Host`, `-Uri`) and nginx is told to. A proof of possession is made for that one (RFC 9449 §4.3),
 * so a proxy must write these headers itself and pass none of a client's. Undefined where it does
 * not, or where `TRUST_PROXY` does not name it: anybody could write them, so a proof must be made for
 * this very request. What makes no URL is a request that no proof is for.
 */
export function originalRequest(
  message: IncomingMessage
): { method: string; urls: string[] } | undefined {
  if (!isFromTrustedProxy(message)) return undefined
  const [method, proto, host, uri] = ['method', 'proto', 'host', 'uri'].map(
    (name) => message.headers[`x-forwarded-${name}`]
  )
  if (!method || !proto || !host || !uri) return undefined
  const isUrl = ONE_HOST.test(String(host)) && uri.toString().startsWith('/')
  return { method: String(method), urls: isUrl ? [normalizeUrl(`${proto}://${host}${uri}`)] : [] }
}

/**
 * A host, and nothing that would make another URL of what stands around it.
 */
const ONE_HOST = /^[^\s,/\\?#@]+$/
