import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { lastSeen } from '#sessions/last_seen'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

async function written(id: string): Promise<number> {
  const row = await db.from('sessions').where('id', id).firstOrFail()
  return new Date(row.last_seen_at).getTime()
}

test.group('Last seen', (group) => {
  group.each.setup(async () => {
    await lastSeen.flush({ everything: true })
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    return () => {
      restore()
      clock.restore()
    }
  })

  test('uses merge for a minute before they are written', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    clock.advance(59_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.flush()
    assert.equal(await written(session.id), session.lastSeenAt.getTime())
    clock.advance(1_000)
    await lastSeen.flush()
    assert.equal(await written(session.id), clock.millis() - 1_000)
  })

  test('a short idle timeout is written more often, so that no node ends a session in use', async ({
    assert,
  }) => {
    sessionsConfig.idleTimeout = 40_000
    const { session } = await signIn(await makeUser())
    clock.advance(10_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.flush()
    assert.equal(await written(session.id), clock.millis())
  })

  test('what is left is written at the end', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    clock.advance(1_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.close()
    assert.equal(await written(session.id), clock.millis())
  })
})
