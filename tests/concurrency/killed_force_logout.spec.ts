import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { runAce, startAce, type RunningCommand } from '#tests/harness/ace'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { insertMany } from '#tests/harness/many_sessions'
import { stopSharedServers } from '#tests/harness/server'
import { verifyToken } from '#app/token_verification/verify_token'

const SESSIONS = 6_000
const COMMAND = ['force:logout', '--all', '--yes', '--include-api-keys', '--reason=incident']

const endedInLog = () => countRows('session_events', { type: 'session.ended' })

/**
 * Waits until the running command has written some ends, and not all.
 */
async function untilHalfWay(command: RunningCommand) {
  const deadline = Date.now() + 40_000
  while (Date.now() < deadline) {
    const ended = await endedInLog()
    if (ended > 0) return ended
    if (command.process.exitCode !== null) break
    await sleep(2)
  }
  throw new Error(`The command wrote nothing:\n${command.output()}`)
}

async function twiceInLog(type: string, what: string) {
  const rows = await db
    .from('session_events')
    .where('type', type)
    .groupBy(what)
    .havingRaw('count(*) > 1')
    .select(what)
  return rows.length
}

test.group('A force logout of everyone that is killed half-way', (group) => {
  group.setup(() => stopSharedServers())
  group.each.setup(() => emptyDatabase())

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`by ${signal}: all tokens stay dead, and the next run ends what is left, once`, async ({
      assert,
    }) => {
      await insertMany({ users: SESSIONS / 2, sessionsEach: 2 })
      const ada = await makeUser()
      const old = await signIn(ada)

      const killed = startAce(COMMAND)
      await untilHalfWay(killed)
      killed.process.kill(signal)
      const { exitCode, stderr, stdout } = await killed.finished
      const ended = await endedInLog()
      assert.isBelow(ended, SESSIONS, 'it was stopped before its end')
      if (signal === 'SIGINT') {
        assert.equal(exitCode, 1)
        assert.include(stdout, 'Cut at ')
        assert.include(stderr, `the ends of ${ended.toLocaleString('en-US')} sessions are written`)
      }
      const verdict = await verifyToken(old.tokens.token, ['access'])
      assert.containsSubset(verdict, { type: 'ended', end: { reason: 'forced' } })
      assert.equal(await countRows('cutoffs', { finished_at: null }), 1)

      const again = await runAce([...COMMAND, '--json'])
      assert.equal(again.exitCode, 0, again.stderr)
      assert.equal(await endedInLog(), SESSIONS + 1)
      assert.equal(await twiceInLog('session.ended', 'session_id'), 0)
      assert.equal(await countRows('api_tokens'), 0)
      assert.equal(await countRows('cutoffs', { finished_at: null }), 0)
      const unended = await db.from('sessions').whereNull('ended_at')
      assert.isEmpty(unended)
    }).timeout(120_000)
  }
})
