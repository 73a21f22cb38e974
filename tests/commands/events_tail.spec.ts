import { test } from '@japa/runner'
import { startAce, runAce, type RunningCommand } from '#tests/harness/ace'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

async function until(condition: () => boolean, command: RunningCommand) {
  const deadline = Date.now() + 20_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`It did not happen:\n${command.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test.group('events:tail', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.timeout(120_000)

  test('tells what happens in another process, and ends cleanly with Ctrl-C', async ({
    assert,
  }) => {
    const ada = await makeUser()
    const bob = await makeUser()
    const tail = startAce(['events:tail', '--json', `--user=${ada.email}`, '--since=1h'])
    await until(() => tail.output().includes('user.created'), tail)
    await signIn(bob)
    const { session } = await signIn(ada)
    await until(() => tail.output().includes(session.id), tail)
    tail.process.kill('SIGINT')
    const { exitCode, stdout, stderr } = await tail.finished
    assert.equal(exitCode, 0, stderr)
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      events.map((event) => event.type),
      ['user.created', 'session.opened']
    )
    assert.isTrue(events.every((event) => event.userId === ada.id))
  })

  test('an unknown user or a moment that is none is 2', async ({ assert }) => {
    const unknown = await runAce(['events:tail', '--user=nobody@example.com'])
    assert.equal(unknown.exitCode, 2)
    const never = await runAce(['events:tail', '--since=whenever'])
    assert.equal(never.exitCode, 2)
  }).skip(process.env.DB_CONNECTION === 'postgres', 'says nothing of the database')
})
