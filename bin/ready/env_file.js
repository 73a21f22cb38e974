import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './root.js'

const FILE = join(ROOT, '.env')

/**
 * Makes sure that there is an `APP_KEY`: in the environment, or in `.env`, which gets a random one
 * of its own where it has none. Whatever else `.env` holds stays.
 */
export function createEnvFile() {
  if (process.env.APP_KEY?.trim()) return
  const present = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  if (/^\s*APP_KEY\s*=[ \t'"]*[^\s'"]/m.test(present)) return

  const line = `APP_KEY=${randomBytes(32).toString('base64url')}`
  const blank = /^\s*APP_KEY\s*=.*$/m
  const filled = blank.test(present)
    ? present.replace(blank, line)
    : `${present && present.replace(/\n*$/, '\n')}${line}\n`
  /** The mode below is for a new file alone: a copied .env.example is readable by others. */
  if (existsSync(FILE)) chmodSync(FILE, 0o600)
  writeFileSync(FILE, filled, { mode: 0o600 })
  console.error(present ? 'Gave .env an APP_KEY.' : 'Created .env with an APP_KEY of its own.')
}
