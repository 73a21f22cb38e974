import type { IncomingMessage } from 'node:http'
import env from '#start/env'
import { appUrl } from '#config/app'
import { normalizeUrl } from '#app/auth/dpop/proof'

/**
 * The addresses under which this service is known: `APP_URL`, or without it the machine itself.
 * Never what the request's `Host` says: a proof made for another service must not pass here.
 */
const origins = env.get('APP_URL')
  ? [appUrl]
  : ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}:${env.get('PORT')}`)

/**
 * The URLs that a proof for this request may name.
 */
export function urlsOf(request: IncomingMessage): string[] {
  const path = (request.url ?? '/').split(/[?#]/, 1)[0]
  return origins.map((origin) => normalizeUrl(origin + path))
}
