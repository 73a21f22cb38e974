import { test } from '@japa/runner'
import { Terminal } from '#tests/quickstart/terminal'

test.group('Commands that are pasted', (group) => {
  let terminal: Terminal
  group.each.setup(() => {
    terminal = new Terminal({ cwd: '/', env: { PATH: process.env.PATH } })
    return () => terminal.close()
  })

  test('keep variables and the directory for the next, and get what is typed', async ({
    assert,
  }) => {
    assert.equal(await terminal.paste('NAME=Ada\ncd /tmp'), '')
    await terminal.set({ OTHER: "it's $HOME" })
    assert.equal(
      await terminal.paste('echo "$NAME in $PWD"; echo "$OTHER"'),
      "Ada in /tmp\nit's $HOME"
    )
    assert.equal(await terminal.paste('cat', 'a password'), 'a password')
  })

  test('fail together when {which} fails')
    .with([
      { which: 'one of two', text: 'false\necho after' },
      { which: 'what gives a variable its value', text: 'NAME=$(echo one | grep two)' },
      { which: 'the first of a pipe', text: 'cat /nowhere | wc -l' },
      { which: 'one of a line', text: 'no-such-command; echo' },
      { which: 'the terminal', text: 'exit 3' },
    ])
    .run(async ({ assert }, { text }) => {
      await assert.rejects(() => terminal.paste(text), /This failed|The terminal ended/)
    })
})
