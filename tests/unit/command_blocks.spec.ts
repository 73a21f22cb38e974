import { test } from '@japa/runner'
import { commandBlocks } from '#tests/quickstart/command_blocks'

const page = (...lines: string[]) => lines.join('\n')

test.group('Blocks of commands on a page', () => {
  test('are all fenced blocks but those of a language that nobody pastes')
    .with(['sh', 'bash', 'console', 'fish', ''])
    .run(({ assert }, language) => {
      const blocks = commandBlocks(
        'README.md',
        page('# Start', '', '```json', '{}', '```', '', `\`\`\`${language}`, 'npm test', '```')
      )
      assert.deepEqual(blocks, [
        { place: 'README.md:7', text: 'npm test', commands: ['npm test'], example: undefined },
      ])
    })

  test('count when they are in a list or fenced by tildes', ({ assert }) => {
    const blocks = commandBlocks(
      'README.md',
      page('- one', '', '  ```sh', '  npm test', '  ```', '', '~~~', 'npm start', '~~~')
    )
    assert.deepEqual(
      blocks.map(({ text }) => text),
      ['npm test', 'npm start']
    )
  })

  test('have a command a line, and one that goes on behind a backslash is one', ({ assert }) => {
    const [block] = commandBlocks('README.md', page('```sh', 'curl \\', '  -s', 'npm test', '```'))
    assert.deepEqual(block.commands, ['curl \\\n  -s', 'npm test'])
  })

  test('have the next block as their example when it shows what is printed', ({ assert }) => {
    const [first, second] = commandBlocks(
      'README.md',
      page('```sh', 'one', '```', '```text', 'done', '```', '```sh', 'two', '```', '```yaml', '```')
    )
    assert.equal(first.example, 'done')
    assert.isUndefined(second.example)
  })

  test('must be closed', ({ assert }) => {
    assert.throws(
      () => commandBlocks('README.md', page('text', '```sh', 'npm test')),
      'README.md:2: this fence is not closed'
    )
  })
})
