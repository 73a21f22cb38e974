import { test } from '@japa/runner'
import { inTransaction } from '#app/database/transaction'
import { renameLog } from '#app/event_log/new_log'
import { startAce, type RunningCommand } from '#tests/harness/ace'
import { makeUser, signIn } from '#tests/harness/accounts'
import { runCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'
import { until } from '#tests/harness/until'

/**
 * Waits until the command has said so.
 */
function untilSaid(command: RunningCommand, text: string) {
  return until(() => command.output().includes(text), command.output, 20_000)
}

test.group('events:tail', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.timeout(120_000)

  test('tells what happens in another process and that the log was replaced, and ends cleanly with Ctrl-C', async ({
    assert,
  }) => {
    const ada = await makeUser()
    const bob = await makeUser()
    const tail = startAce(['events:tail', '--json', `--user=${ada.email}`, '--since=1h'])
    await untilSaid(tail, 'user.created')
    await signIn(bob)
    const { session } = await signIn(ada)
    await untilSaid(tail, session.id)
    await inTransaction(renameLog)
    await untilSaid(tail, 'The log was replaced')
    const { session: later } = await signIn(ada, { id: 'another' })
    await untilSaid(tail, later.id)
    tail.process.kill('SIGINT')
    const { exitCode, stdout, stderr } = await tail.finished
    assert.equal(exitCode, 0, stderr)
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      events.map((event) => event.type),
      ['user.created', 'session.opened', 'session.ended', 'session.opened']
    )
    assert.isTrue(events.every((event) => event.userId === ada.id))
  })

  test('ends as cleanly when it is told to stop by SIGTERM', async ({ assert }) => {
    await makeUser()
    const tail = startAce(['events:tail', '--since=1h'])
    await untilSaid(tail, 'user.created')
    tail.process.kill('SIGTERM')
    await until(() => tail.process.exitCode !== null, tail.output, 20_000).catch((error) => {
      tail.process.kill('SIGKILL')
      throw error
    })
    const { exitCode, stderr } = await tail.finished
    assert.equal(exitCode, 0, stderr)
    assert.equal(stderr, '')
  })

  test('an unknown user or a moment that is none is 2', async ({ assert }) => {
    const unknown = await runCommand(['events:tail', '--user=nobody@example.com'])
    assert.equal(unknown.exitCode, 2)
    const never = await runCommand(['events:tail', '--since=whenever'])
    assert.equal(never.exitCode, 2)
  })
})
