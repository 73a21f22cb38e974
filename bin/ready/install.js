import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { NATIVE, prepareNativeModules } from '../native_modules.js'
import { bundledNode, ended } from './node.js'
import { ROOT } from './root.js'

/**
 * Installs the packages of package-lock.json with `npm ci` unless they are there, and makes sure that
 * those with a binary can be loaded here. What npm says is shown only when it fails. Throws when it
 * does.
 */
export async function installMissing() {
  if (!isInstalled()) await install()
  const versions = packagesOf('node_modules/.package-lock.json')
  const tried = NATIVE.map((name) => versions[`node_modules/${name}`]?.version).join(' ')
  if (existsSync(TRIED) && readFileSync(TRIED, 'utf8') === tried) return
  prepareNativeModules(bundledNode)
  writeFileSync(TRIED, tried)
}

/**
 * Holds the versions of the packages with a binary that were loaded here. `npm ci` removes it.
 */
const TRIED = join(ROOT, 'node_modules/.native-modules-load')

async function install() {
  console.error('Installing the packages (npm ci). The first time takes a minute or two.')
  /** Warnings about engines mean the Node.js that runs npm, not the one that runs the application. */
  const { code, output } = await runNpm(['ci', '--include=dev'], ROOT)
  if (code !== 0) throw new Error(`${output.trim()}\nnpm ci failed, see above.`)
  if (!isInstalled()) {
    throw new Error(
      `${output.trim()}\nnpm ci left something out, see above: run it without omitting packages or ignoring scripts.`
    )
  }
}

/**
 * npm writes what it installed to a lockfile of its own as its last step. Versions are compared,
 * not times: Git gives package-lock.json a new time whenever branches are switched. A folder that was
 * copied or linked can have that lockfile without its packages, so they are looked for as well.
 */
function isInstalled() {
  if (!existsSync(bundledNode)) return false
  const wanted = packagesOf('package-lock.json')
  const present = packagesOf('node_modules/.package-lock.json')
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' ||
      (path in present
        ? present[path].version === version && existsSync(join(ROOT, path))
        : optional)
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
 * Runs npm in a directory and gives its exit code and what it said. A signal ends npm first, and this
 * process after it: nobody else may install before.
 */
export async function runNpm(args, cwd) {
  const child = spawn('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd,
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
