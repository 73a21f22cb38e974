import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'

const BIN = fileURLToPath(new URL('../../bin', import.meta.url))

/**
 * A folder with packages whose binary ends the process that loads it, until they are built from source:
 * what that does is a script.
 */
function install(cleanup: (undo: () => void) => void, build: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-native-'))
  cleanup(() => rmSync(directory, { recursive: true }))
  for (const file of ['node_version.js', 'native_modules.js']) {
    cpSync(join(BIN, file), join(directory, 'bin', file))
  }
  const dependencies = { sqlite3: '1.0.0', argon2: '1.0.0', bcrypt: '1.0.0' }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
  for (const name of Object.keys(dependencies)) {
    const path = join(directory, 'node_modules', name)
    mkdirSync(path, { recursive: true })
    const scripts = { install: `node build.js` }
    writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version: '1.0.0', scripts }))
    writeFileSync(join(path, 'build.js'), build)
    writeFileSync(
      join(path, 'index.js'),
      "if (!require('fs').existsSync(__dirname + '/built')) process.kill(process.pid, 'SIGSEGV')"
    )
  }
  for (const name of ['argon2', 'bcrypt']) {
    writeFileSync(join(directory, 'node_modules', name, 'built'), '')
  }
  return directory
}

function prepare(cwd: string) {
  const args = ['bin/native_modules.js']
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 50_000 })
}

test.group('Packages with a binary', (group) => {
  group.tap((one) => one.timeout(60_000))

  test('one that can not be loaded is built from source', ({ assert, cleanup }) => {
    const directory = install(
      cleanup,
      "if (process.env.npm_config_build_from_source === 'true') require('fs').writeFileSync('built', '')"
    )
    const { status, stderr } = prepare(directory)
    assert.equal(status, 0, stderr)
    assert.match(stderr, /^The prebuilt binary of sqlite3 [^\n]*: building it from source\.\n$/)
    assert.isTrue(existsSync(join(directory, 'node_modules/sqlite3/built')))
    const again = prepare(directory)
    assert.equal(again.stderr, '')
  })

  test('where that fails, one line says what to install', ({ assert, cleanup }) => {
    const { status, stderr } = prepare(install(cleanup, 'process.exit(1)'))
    assert.equal(status, 1)
    const [, line, ...more] = stderr.trim().split('\n')
    assert.match(line, /python3 make g\+\+.*npm rebuild sqlite3 --build-from-source$/)
    assert.isEmpty(more)
  })

  test('those of this checkout can be loaded', ({ assert }) => {
    const { status, stderr } = prepare(fileURLToPath(new URL('../..', import.meta.url)))
    assert.equal(status, 0)
    assert.equal(stderr, '')
  })
})
