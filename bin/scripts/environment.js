import { EnvProcessor } from '@adonisjs/core/env'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../ready/root.js'

/**
 * Puts the variables of `.env` into the environment of this process and its children, as the
 * application reads them: real variables win.
 */
export async function readEnvironment() {
  await new EnvProcessor(pathToFileURL(ROOT)).process()
}

/**
 * Whether the database is the embedded one.
 */
export function usesEmbeddedDatabase() {
  return (process.env.DB_CONNECTION?.trim() || 'sqlite') === 'sqlite'
}
