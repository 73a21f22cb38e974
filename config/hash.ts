import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/core/hash'
import { Argon2Worker } from '#app/passwords/argon2_worker'
import { PasswordDriver } from '#app/passwords/foreign_hash'

/**
 * Argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB of memory, two
 * passes, one lane.
 */
const parameters = {
  variant: 'id',
  version: 0x13,
  memory: 19456,
  iterations: 2,
  parallelism: 1,
  saltSize: 16,
  hashLength: 32,
} as const

const hashConfig = defineConfig({
  default: 'argon',

  list: {
    /**
     * A server hashes beside the process that answers requests; an ace command has nothing else
     * to do.
     */
    argon: () =>
      app.getEnvironment() === 'web'
        ? new Argon2Worker(parameters)
        : new PasswordDriver(parameters),
  },
})

export default hashConfig

/**
 * Inferring types for the list of hashers you have configured
 * in your application.
 */
declare module '@adonisjs/core/types' {
  export interface HashersList extends InferHashers<typeof hashConfig> {}
}
