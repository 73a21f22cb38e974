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
 * Whether the database is the embedded one: also by default, where no `DATABASE_URL` names another.
 */
export function usesEmbeddedDatabase() {
  const { DB_CONNECTION, DATABASE_URL } = process.env
  return (DB_CONNECTION?.trim() || (DATABASE_URL?.trim() ? 'postgres' : 'sqlite')) === 'sqlite'
}

/**
 * Has this process and its children use the embedded database, whatever the terminal or `.env` say of
 * another. Returns whether they did.
 */
export function useEmbeddedDatabase() {
  const ignored = !usesEmbeddedDatabase()
  process.env.DB_CONNECTION = 'sqlite'
  for (const name of ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_POOLER'])
    process.env[name] = ''
  return ignored
}
