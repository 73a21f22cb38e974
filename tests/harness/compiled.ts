import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Compiles the application and its tests into a new directory inside the project, where they find
 * the installed packages. Returns its path. Throws when it can't be compiled.
 */
export function compileApplication(): string {
  mkdirSync(join(ROOT, 'tmp'), { recursive: true })
  const directory = mkdtempSync(join(ROOT, 'tmp/compiled-'))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { status } = spawnSync(
    process.execPath,
    [tsc, '--outDir', directory, '--noCheck', '--sourceMap', 'false'],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] }
  )
  if (status !== 0) throw new Error('The application could not be compiled.')
  for (const file of ['package.json', 'bin/node_version.js']) {
    copyFileSync(join(ROOT, file), join(directory, file))
  }
  symlinkSync(join(ROOT, 'resources'), join(directory, 'resources'))
  return directory
}

/**
 * How to start a program of the application: compiled, where `npm test` has done so for all of its
 * processes (`COMPILED_APPLICATION`), or else as it is written, which takes a second longer.
 */
export function programOf(
  file: 'bin/server' | 'bin/console' | 'start/env' | 'tests/apps/stock_adonis/server'
): { cwd: string; args: string[] } {
  const { COMPILED_APPLICATION: compiled } = process.env
  return compiled
    ? { cwd: compiled, args: [`${file}.js`] }
    : { cwd: ROOT, args: ['--import=@poppinss/ts-exec', `${file}.ts`] }
}
