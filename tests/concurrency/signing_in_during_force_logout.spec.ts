import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { verifyToken } from '#app/token_verification/verify_token'
import { startAce } from '#tests/harness/ace'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { insertMany } from '#tests/harness/many_sessions'
import { THOROUGH } from '#tests/harness/pace'
import { stopSharedServers } from '#tests/harness/server'

test.group('Signing in while everyone is forced out', (group) => {
  group.setup(() => stopSharedServers())
  group.each.setup(() => emptyDatabase())

  test('who signed in before the cut is out, who signs in after it stays in', async ({
    assert,
  }) => {
    await insertMany({ users: THOROUGH ? 4_000 : 2_000, sessionsEach: 1 })
    const early = await signIn(await makeUser())

    const command = startAce(['force:logout', '--all', '--yes', '--reason=incident'])
    let cutReported = false
    command.process.stdout!.on('data', () => {
      cutReported ||= command.output().includes('Cut at')
    })
    const late: string[] = []
    while (command.process.exitCode === null) {
      const beganAfterCut = cutReported
      const { tokens } = await signIn(await makeUser())
      if (beganAfterCut) late.push(tokens.token)
      await sleep(10)
    }
    const { exitCode, stderr } = await command.finished
    assert.equal(exitCode, 0, stderr)

    const old = await verifyToken(early.tokens.token, ['access'])
    assert.containsSubset(old, { type: 'ended', end: { reason: 'forced' } })
    assert.isNotEmpty(late, 'somebody signed in during the clean-up')
    for (const token of late) {
      const { type } = await verifyToken(token, ['access'])
      assert.equal(type, 'live')
    }

    const cut = await db.from('cutoffs').firstOrFail()
    const wrong = await db
      .from('sessions')
      .where((either) => {
        either.where('seq', '<=', cut.session_seq).whereNull('ended_at')
      })
      .orWhere((either) => {
        either.where('seq', '>', cut.session_seq).whereNotNull('ended_at')
      })
    assert.isEmpty(wrong, 'the number of a session alone decides')
    const ended = await db.from('sessions').whereNotNull('ended_at')
    assert.equal(await countRows('session_events', { type: 'session.ended' }), ended.length)
  }).timeout(120_000)
})
