import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { bundledNode, ended } from './node.js'
import { ROOT } from './root.js'

/**
 * Installs the packages of package-lock.json with `npm ci` unless they are there. What npm says
 * is shown only when it fails. Throws when it does.
 */
export async function installMissing() {
  if (isInstalled()) return
  console.error('Installing the packages (npm ci). The first time takes a minute or two.')
  const { code, output } = await npmCi()
  if (code !== 0) throw new Error(`${output.trim()}\nnpm ci failed, see above.`)
  if (!isInstalled()) {
    throw new Error(
      `${output.trim()}\nnpm ci left something out, see above: run it without omitting packages or ignoring scripts.`
    )
  }
}

/**
 * npm writes what it installed to a lockfile of its own as its last step. Versions are compared,
 * not times: Git gives package-lock.json a new time whenever branches are switched.
 */
function isInstalled() {
  if (!existsSync(bundledNode)) return false
  const wanted = packagesOf('package-lock.json')
  const present = packagesOf('node_modules/.package-lock.json')
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (path in present ? present[path].version === version : optional)
  )
}

function packagesOf(lockfile) {
  try {
    return JSON.parse(readFileSync(join(ROOT, lockfile), 'utf8')).packages
  } catch {
    return {}
  }
}

/**
 * A signal ends npm first, and this process after it: nobody else may install before. Warnings
 * about engines mean the Node.js that runs npm, not the one that runs the application.
 */
async function npmCi() {
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const child = spawn('npm', ['ci', ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'development' },
    shell: process.platform === 'win32',
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const code = await ended(child).catch(() => {
    throw new Error('npm is needed and was not found.')
  })
  return { code, output }
}
