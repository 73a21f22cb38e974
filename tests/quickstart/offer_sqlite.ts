import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Offers the SQLite that a checkout has installed to installations elsewhere on this machine, in the
 * place of the prebuilt one that comes from the network: where that can't be had, npm would compile
 * it each time. Returns the environment variable that says where it is.
 */
export function offerSqlite(checkout: string, directory: string): Record<string, string> {
  const cwd = join(checkout, 'node_modules/sqlite3')
  const { version, binary } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
  const napi = Math.max(...binary.napi_versions)
  const name = `sqlite3-v${version}-napi-v${napi}-${process.platform}-${process.arch}.tar.gz`
  mkdirSync(directory)
  execFileSync('tar', ['czf', join(directory, name), 'build/Release/node_sqlite3.node'], { cwd })
  return { npm_config_sqlite3_local_prebuilds: directory }
}
