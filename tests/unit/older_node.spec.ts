import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * The first Node.js below 24 on the path or where systems install one.
 */
function findOlderNode(): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return directories
    .map((directory) => join(directory, 'node'))
    .find((file) => existsSync(file) && majorOf(file) >= 20 && majorOf(file) < 24)
}

function majorOf(file: string): number {
  const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' })
  return Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0)
}

test.group('A terminal with an older Node.js', (group) => {
  const olderNode = findOlderNode()
  group.tap((each) => {
    if (!olderNode) each.skip(true, 'There is no Node.js 20 to 23 on this machine')
  })

  test('ace commands run on the bundled one, and their exit codes pass through', ({ assert }) => {
    const { status, stderr } = spawnSync(
      olderNode!,
      ['ace', 'force:logout', 'nobody@example.com'],
      {
        cwd: ROOT,
        encoding: 'utf8',
        timeout: 50_000,
      }
    )
    assert.equal(status, 2, stderr)
    assert.include(stderr, 'nobody@example.com')
  }).timeout(60_000)

  test('{$self} of a build ends with one line, also outside of the checkout')
    .with(['bin/server.js', 'ace.js'])
    .run(({ assert, cleanup }, file) => {
      const directory = mkdtempSync(join(tmpdir(), 'latchkey-build-'))
      cleanup(() => rmSync(directory, { recursive: true }))
      makeBuild(join(directory, 'build'))
      const { status, stdout, stderr } = spawnSync(olderNode!, [join('build', file), 'list'], {
        cwd: directory,
        encoding: 'utf8',
        timeout: 50_000,
      })
      assert.equal(stdout, '')
      assert.match(stderr, /^Node\.js 24 or newer is needed, and \S+ is v2[0-3]\.\S+\.\n$/)
      assert.equal(status, 1)
    })
})

/**
 * What of a build speaks first: the two programs, and `ace.js` as the framework writes it into one.
 */
function makeBuild(directory: string): void {
  mkdirSync(join(directory, 'bin'), { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(directory, 'ace.js'), "await import('./bin/console.js')")
  cpSync(join(ROOT, 'bin/node_version.js'), join(directory, 'bin/node_version.js'))
  for (const name of ['server', 'console']) {
    const source = readFileSync(join(ROOT, `bin/${name}.ts`), 'utf8')
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    })
    writeFileSync(join(directory, `bin/${name}.js`), outputText)
  }
}
