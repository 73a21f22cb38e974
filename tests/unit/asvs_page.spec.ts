import { existsSync, readFileSync } from 'node:fs'
import { test } from '@japa/runner'

const page = readFileSync('docs/asvs.md', 'utf8')
const lines = page.split('\n').filter((line) => /^\| \d/.test(line))

/**
 * Cells of a line; a bar within a title is escaped.
 */
const cells = lines.map((line) =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
)

test.group('Page of the ASVS', () => {
  test('every requirement of V6, V7, V10, V14 and V16 stands there once, and no cell is empty', ({
    assert,
  }) => {
    const ids = cells.map(([id]) => id)
    assert.lengthOf([...new Set(ids)], ids.length)
    const chapters = ['6', '7', '10', '14', '16'].map(
      (chapter) => ids.filter((id) => id.startsWith(`${chapter}.`)).length
    )
    assert.deepEqual(chapters, [47, 19, 36, 13, 17])
    for (const [id, level, inShort, shownBy, ...more] of cells) {
      assert.match(level, /^[123]$/, id)
      assert.isAbove(inShort.length, 3, id)
      assert.isAbove(shownBy.length, 10, id)
      assert.lengthOf(more, 0, id)
    }
  })

  test('every test that it names exists', ({ assert }) => {
    let named = 0
    for (const [id, , , shownBy] of cells) {
      for (const [, file, rest] of shownBy.matchAll(/`(tests\/[^`]+)` › (.+?)(?=<br>|$)/g)) {
        assert.isTrue(existsSync(file), `${id} names ${file}`)
        const source = readFileSync(file, 'utf8').replaceAll("\\'", "'")
        assert.isTrue(holdsTitle(source, rest), `${id}: ${file} has no test "${rest}"`)
        named++
      }
    }
    assert.isAbove(named, 80)
  })
})

/**
 * A reference within a sentence goes on behind the title with a full stop or a bracket.
 */
function holdsTitle(source: string, title: string): boolean {
  return [title, title.replace(/[).]+$/, '')].some((candidate) =>
    ["'", '`', '"'].some((quote) => source.includes(`${quote}${candidate}${quote}`))
  )
}
