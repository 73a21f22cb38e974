import { defineConfig } from '@adonisjs/auth'
import type { InferAuthEvents, InferAuthenticators, Authenticators } from '@adonisjs/auth/types'
import { apiGuard } from '#app/auth/guard'

const authConfig = defineConfig({
  default: 'api',
  guards: {
    api: apiGuard(),
  },
})

export default authConfig

/**
 * Inferring types from the configured auth guards.
 */
declare module '@adonisjs/auth/types' {
  export interface Authenticators extends InferAuthenticators<typeof authConfig> {}
}
declare module '@adonisjs/core/types' {
  interface EventsList extends InferAuthEvents<Authenticators> {}
}
