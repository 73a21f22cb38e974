import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import app from '@adonisjs/core/services/app'
import { test } from '@japa/runner'

/**
 * A project with the configuration of this one and two folders of its own.
 */
function project(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'latchkey-cycles-'))
  for (const file of [
    '.dependency-cruiser.js',
    '.dependency-cruiser-resolve.cjs',
    'package.json',
  ]) {
    cpSync(app.makePath(file), join(root, file))
  }
  writeFileSync(join(root, 'tsconfig.json'), '{}')
  symlinkSync(app.makePath('node_modules'), join(root, 'node_modules'))
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(root, 'app', file, '..'), { recursive: true })
    writeFileSync(join(root, 'app', file), text)
  }
  return root
}

function checkImports(root: string) {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const args = [program, 'app', '--config', '.dependency-cruiser.js']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  return { status, stdout }
}

test.group('Imports between folders', (group) => {
  group.tap((one) => one.timeout(30_000))

  let root: string | undefined
  group.each.teardown(() => {
    if (root) rmSync(root, { recursive: true, force: true })
  })

  test('in one direction pass', ({ assert }) => {
    root = project({
      'tokens/issue.ts': 'export const issue = 1\n',
      'sessions/open.ts': "import { issue } from '#app/tokens/issue'\nexport const open = issue\n",
    })
    assert.equal(checkImports(root).status, 0)
  })

  test('that close a cycle are refused, through types and through other files too', ({
    assert,
  }) => {
    root = project({
      'tokens/issue.ts':
        "import type { Session } from '#app/sessions/session'\nexport const issue = (of: Session) => of\n",
      'sessions/session.ts': 'export type Session = { id: string }\n',
      'sessions/open.ts': "import { issue } from '#app/tokens/issue'\nexport const open = issue\n",
    })
    const { status, stdout } = checkImports(root)
    assert.notEqual(status, 0)
    assert.include(stdout, 'no-cycles-between-folders')
  })
})
