import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { makeUser } from '#tests/harness/accounts'
import { ALIVE, CHANNELS, endSaid, saidEverywhere, everywhere } from '#tests/harness/channels'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { logIn } from '#tests/harness/http'
import { keepPolicy } from '#tests/harness/policy'
import { makeClient } from '#tests/harness/service_clients'
import { sessionRow } from '#tests/harness/session_rows'
import { finish, leaveUnfinished } from '#tests/harness/unfinished_watermark'

const SERVER = `http://${process.env.HOST}:${process.env.PORT}`
const DAY = 24 * 60 * 60 * 1000

/**
 * More than a sign-in settles on its way.
 */
const COVERED = 350

/**
 * Writes that many sessions of one user straight into the database, each of a device with an id,
 * and gives their ids in order of their numbers.
 */
async function insertCovered(userId: number): Promise<string[]> {
  const now = clock.now()
  const ids = Array.from({ length: COVERED }, () => randomUUID())
  for (let start = 0; start < COVERED; start += 50) {
    await db.table('sessions').multiInsert(
      ids.slice(start, start + 50).map((id, index) => ({
        id,
        user_id: userId,
        device_id: `device ${start + index}`,
        created_at: now,
        last_seen_at: now,
        expires_at: new Date(now.getTime() + 30 * DAY),
      }))
    )
  }
  return ids
}

test.group('A sign-in while a force logout of very many sessions is unfinished', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 1_000
    return restore
  })

  for (const whose of ['everyone', 'the user']) {
    for (const place of [0, 99, 100, 175, 250, COVERED - 1]) {
      test(`of ${whose} is let in with the device id of covered session ${place}`, async ({
        assert,
      }) => {
        const user = await makeUser()
        const ids = await insertCovered(user.id)
        const first = await logIn(SERVER, user.email, { device: { id: 'the phone' } })
        const cutAt = await leaveUnfinished(whose === 'everyone' ? null : user.id)

        const answer = await logIn(SERVER, user.email, { device: { id: `device ${place}` } })

        assert.equal(answer.status, 200)
        assert.equal(answer.body.data.session.device.id, `device ${place}`)
        assert.isEmpty(answer.body.data.endedSessions)
        assert.equal(answer.body.data.quota.used, 1)
        const { token } = answer.body.data
        const { basic } = await makeClient()
        const ask = () => CHANNELS['the API'](SERVER, { token, refreshToken: '' }, basic)
        assert.equal(await ask(), ALIVE)
        const covered = await sessionRow(ids[place])
        assert.deepEqual([covered.endReason, covered.endedAt], ['forced', cutAt.getTime()])

        await finish()
        assert.equal(await ask(), ALIVE)
        assert.equal(await countRows('sessions', { ended_at: null }), 1)
        const forced = { type: 'session.ended', reason: 'forced' }
        assert.equal(await countRows('session_events', forced), COVERED + 1)
        const told = await saidEverywhere(SERVER, first.body.data, basic)
        assert.deepEqual(told, everywhere('forced', cutAt))
        assert.equal(told['the API'], endSaid('forced', cutAt))
      })
    }
  }

  test('with the same device id again and again leaves one session of it', async ({ assert }) => {
    const user = await makeUser()
    await insertCovered(user.id)
    await leaveUnfinished()
    for (const place of [COVERED - 1, 300, COVERED - 1, 120, COVERED - 1]) {
      const device = { id: `device ${place}` }
      const answer = await logIn(SERVER, user.email, { device })
      assert.equal(answer.status, 200)
    }
    await finish()
    assert.equal(await countRows('sessions', { ended_at: null }), 3)
  })
})
