import env from '#start/env'
import { defineConfig } from '@adonisjs/cors'
import { pathOf } from '#app/http/path'

/**
 * Closed unless `CORS_ORIGINS` names the origins (comma-separated) of browser clients. Tokens
 * travel in a header, so credentials (cookies) stay off. Forward auth answers proxies: a preflight
 * that it answered for them would pass them unchecked.
 */
const origins = env
  .get('CORS_ORIGINS')
  .split(',')
  .map((origin) => origin.trim())
  .filter((origin) => origin !== '')

const corsConfig = defineConfig({
  enabled: ({ request }) => origins.length > 0 && pathOf(request) !== '/forward-auth',
  origin: origins,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  headers: true,
  exposeHeaders: ['Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
  credentials: false,
  maxAge: 600,
})

export default corsConfig
