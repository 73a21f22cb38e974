import type { IncomingMessage, ServerResponse } from 'node:http'
import env from '#start/env'
import { defineConfig } from '@adonisjs/core/http'
import { clientAddress } from '#app/http/client_address'
import trustedProxies from '#config/trusted_proxies'

/**
 * Keys the successors of refresh tokens (and whatever else must be the same on every node
 * without being stored). Nodes that share a database share it.
 */
export const appKey = env.get('APP_KEY')

/**
 * Where people reach the application. Links in mails use this and nothing that a request says.
 */
export const appUrl = env.get('APP_URL') ?? `http://localhost:${env.get('PORT')}`

/**
 * The configuration settings used by the HTTP server
 */
export const http = defineConfig({
  generateRequestId: true,
  allowMethodSpoofing: false,
  trustProxy: (address: string) => trustedProxies.trusts(address),

  /** `request.ip()` is in one spelling wherever it is asked for. */
  getIp: (request) => clientAddress(request.request),

  /**
   * A path that is not UTF-8 when decoded. Loaded late: what it loads reads this file.
   */
  onBadUrl: async (_: IncomingMessage, response: ServerResponse) => {
    const { refuseRequest } = await import('#app/http/raw_http_errors')
    refuseRequest(response, 400)
  },

  /**
   * Nothing here reads the context through async local storage, and every request would pay
   * for it.
   */
  useAsyncLocalStorage: false,
})
