import { defineConfig, drivers } from '@adonisjs/core/hash'

const hashConfig = defineConfig({
  default: 'argon',

  list: {
    /**
     * Argon2id with the parameters of the OWASP Password Storage Cheat Sheet: 19 MiB of memory,
     * two passes, one lane.
     */
    argon: drivers.argon2({
      variant: 'id',
      version: 0x13,
      memory: 19456,
      iterations: 2,
      parallelism: 1,
      saltSize: 16,
      hashLength: 32,
    }),
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
