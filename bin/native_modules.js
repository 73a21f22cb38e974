import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'

/**
 * Packages with a binary, which npm installs without trying it: a prebuilt one may want a newer glibc
 * than this system has.
 */
export const NATIVE = ['sqlite3', 'argon2', 'bcrypt']

/**
 * Makes sure that these packages of the current directory can be loaded: tries each in a process of
 * its own, for a binary that does not fit may end it, and builds one that can't be from source. Throws an
 * error that says what to install when that fails too.
 */
export function prepareNativeModules(node = process.execPath, names = NATIVE) {
  for (const name of names) {
    if (loads(node, name)) continue
    console.error(
      `The prebuilt binary of ${name} does not fit this system: building it from source.`
    )
    spawnSync('npm', ['rebuild', name, '--build-from-source'], {
      stdio: 'ignore',
      env: { ...process.env, npm_config_build_from_source: 'true' },
      shell: process.platform === 'win32',
    })
    if (loads(node, name)) continue
    throw new Error(
      `${name} can't be loaded on this system, nor built from source. Install python3, make and g++ (apt-get install python3 make g++), then run: npm rebuild ${name} --build-from-source`
    )
  }
}

function loads(node, name) {
  const script = `await import(${JSON.stringify(name)})`
  return (
    spawnSync(node, ['--input-type=module', '--eval', script], { stdio: 'ignore' }).status === 0
  )
}

/**
 * A build runs this file itself, after `npm ci` (bin/build_finished.ts).
 */
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await import('./node_version.js')
  try {
    prepareNativeModules()
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
