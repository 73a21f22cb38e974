import { execFile } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const BUILD = fileURLToPath(new URL('../build/', import.meta.url))

/**
 * What is compiled with the application and that no server runs.
 */
const LEFT_OUT = ['tests', 'docs', 'clients', 'bin/test.js', 'bin/test.js.map']

/**
 * Leaves in `build` what a server needs. Many packages name development tools, such as a compiler
 * and a test runner, as optional peers. Whatever an application lists under `devDependencies` and
 * a package names like that, `npm ci --omit=dev` installs: so the build lists none, and npm takes
 * them out of the lockfile, for which it needs no registry. The scripts of the checkout go with
 * them; `npm start` serves, and an installation tries the packages that have a binary.
 */
export default async function buildFinished() {
  for (const path of LEFT_OUT) await rm(join(BUILD, path), { recursive: true, force: true })

  const file = join(BUILD, 'package.json')
  const { devDependencies, ...serverPackage } = JSON.parse(await readFile(file, 'utf8'))
  serverPackage.scripts = {
    start: 'node bin/server.js',
    postinstall: 'node bin/native_modules.js',
  }
  await writeFile(file, `${JSON.stringify(serverPackage, null, 2)}\n`)

  const options = ['--package-lock-only', '--offline', '--no-audit', '--no-fund']
  await promisify(execFile)('npm', ['install', ...options, '--loglevel=error'], {
    cwd: BUILD,
    shell: process.platform === 'win32',
  })
}
