import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createEnvFile } from '../ready/env_file.js'
import { withLock } from '../ready/lock.js'
import { run, runQuietly } from '../ready/node.js'
import { ROOT } from '../ready/root.js'
import { readEnvironment, usesEmbeddedDatabase } from './environment.js'

/**
 * Where production keeps the embedded database unless `SQLITE_FILE` says otherwise: not in the
 * file of the quickstart, whose demo users have well-known passwords.
 */
const FILE = 'tmp/production.sqlite3'

/**
 * Serves the build in production mode.
 */
try {
  await withLock(prepare)
  process.exitCode = await run(['build/bin/server.js'])
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

async function prepare() {
  if (!isBuilt()) {
    console.error('Building (npm run build).')
    await runQuietly(['ace.js', 'build'])
  }
  createEnvFile()
  /**
   * The build has a root of its own: it shall read the .env of the checkout and keep its database
   * out of the directory that the next build empties.
   */
  process.env.NODE_ENV = 'production'
  process.env.ENV_PATH ??= ROOT
  await readEnvironment()
  if (usesEmbeddedDatabase()) await prepareEmbeddedDatabase()
}

/**
 * `ace build` writes package.json last.
 */
function isBuilt() {
  return existsSync('build/package.json') && existsSync('build/bin/server.js')
}

async function prepareEmbeddedDatabase() {
  const file = process.env.SQLITE_FILE?.trim() || FILE
  process.env.SQLITE_FILE = resolve(ROOT, file)
  if (file === FILE) {
    console.error(`The database is ${FILE}. Commands for it: SQLITE_FILE=${FILE} node ace …`)
  }
  await runQuietly(['build/ace.js', 'migration:run', '--force'])
}
