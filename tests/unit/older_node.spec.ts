import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'

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
})
