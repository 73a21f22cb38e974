import { test } from '@japa/runner'
import { escapeJson, escapeText } from '#app/terminal/escape'
import { ProgressBar } from '#app/terminal/progress_bar'
import { renderTable } from '#app/terminal/table'

test.group('Terminal', () => {
  test('what would steer a terminal is shown as text', ({ assert }) => {
    assert.equal(escapeText('a\u001b[2Jb\n\u009b\u202e'), 'a\\u{1b}[2Jb\\u{a}\\u{9b}\\u{202e}')
    assert.equal(escapeText('Zoë 携帯 👩\u200d💻'), 'Zoë 携帯 👩\u200d💻')
    assert.equal(escapeText('\u{e0041}\ud800'), '\\u{e0041}\\u{d800}')
  })

  test('JSON is safe to print and says the same', ({ assert }) => {
    const value = { name: 'a\u009b2J\u202e\u{e0041}\u007f\n"\\' }
    for (const indent of [undefined, 2]) {
      const json = escapeJson(value, indent)
      assert.deepEqual(JSON.parse(json), value)
      assert.notMatch(json, /(?!\n)[\p{Cc}\p{Cf}]/u)
    }
  })

  test('a table is as wide as it may be, and cuts the widest columns first', ({ assert }) => {
    const columns = [{ heading: 'ID', least: 2 }, { heading: 'NAME' }]
    const rows = [
      ['1', 'x'.repeat(60)],
      ['22', 'Ada'],
    ]
    const lines = renderTable(columns, rows, 20)
    assert.lengthOf(lines, 3)
    assert.isTrue(lines.every((line) => line.length <= 20))
    assert.match(lines[1], /^1 {3}x+…$/)
    assert.equal(lines[2], '22  Ada')
    assert.include(renderTable(columns, rows)[1], 'x'.repeat(60))
  })

  test('progress shows share, count, rate and time left within the terminal', ({ assert }) => {
    const written: string[] = []
    const screen = { isTTY: true, columns: 100, write: (text: string) => written.push(text) }
    const bar = new ProgressBar(200_000, 'ended', screen)
    bar.advance(50_000)
    const line = bar.line(10_000)
    assert.include(line, ' 25 %  50,000 of 200,000 ended  5,000/s  30s left')
    assert.match(line, /^█+░+/)
    assert.isBelow(line.length, 100)
    assert.lengthOf(written, 1)

    const silent = new ProgressBar(10, 'ended', { ...screen, isTTY: false })
    silent.advance(10)
    silent.clear()
    assert.lengthOf(written, 1, 'nothing where no terminal is')
  })
})
