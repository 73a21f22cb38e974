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
 * Whether the database is the embedded one. As in `start/env.ts`, a `DATABASE_URL` alone says that it
 * is not.
 */
export function usesEmbeddedDatabase() {
  const { DB_CONNECTION: chosen, DATABASE_URL: url } = process.env
  return (chosen?.trim() || (url?.trim() ? 'postgres' : 'sqlite')) === 'sqlite'
}
