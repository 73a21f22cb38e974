import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import type { ApiClient } from '@japa/api-client'
import { previewForceLogout } from '#app/force_logout/force_logout'
import sessionsConfig from '#config/sessions'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { listen } from '#tests/harness/event_stream'
import { keepPolicy } from '#tests/harness/policy'
import { filtersValidator } from '#validators/force_logout'

const server = `http://${process.env.HOST}:${process.env.PORT}`

test.group('Labels of devices', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => keepPolicy())

  const logIn = async (client: ApiClient, device: Record<string, unknown>) => {
    const { email } = await makeUser()
    return client.post('/api/v1/auth/login').json({ email, password: PASSWORD, device })
  }
  const shownTo = async (client: ApiClient, device: Record<string, unknown>) => {
    const answer = await logIn(client, device)
    answer.assertStatus(200)
    return answer.body().data.session.device
  }

  test('a platform is normalized and never refuses a sign-in: {0}')
    .with([
      ['Mac OS X', 'macos'],
      ['macOS', 'macos'],
      ['Chrome OS', 'chrome_os'],
      ['web/desktop', 'web_desktop'],
      ['  iOS ', 'ios'],
      ['Android 15 (Pixel)', 'android_15_pixel'],
      ['web.desktop', 'web_desktop'],
      ['smart-tv', 'smart-tv'],
      ['Linux (x86)', 'linux_x86'],
      ['/_./', null],
      ['端末', null],
      ['', null],
      ['A'.repeat(300), 'a'.repeat(32)],
      [`${'a'.repeat(31)} b`, 'a'.repeat(31)],
    ] as [string, string | null][])
    .run(async ({ client, assert }, [said, platform]) => {
      const device = await shownTo(client, { name: 'Phone', platform: said })
      assert.equal(device.platform, platform)
      const stored = await db.from('sessions').select('platform').firstOrFail()
      assert.equal(stored.platform, platform)
    })

  test('a name is cut and never refuses a sign-in: {0}')
    .with([
      ['112 characters', 'n'.repeat(112), 'n'.repeat(100)],
      ['a pair of surrogates at the cut', `${'n'.repeat(99)}📱`, 'n'.repeat(99)],
      ['a NUL and half a pair', 'My\0 Phone\ud83d', 'My Phone'],
      ['spaces at the cut', `${'n'.repeat(99)} n`, 'n'.repeat(99)],
      ['very long', '携'.repeat(10_000), '携'.repeat(100)],
    ])
    .run(async ({ client, assert }, [, said, name]) => {
      const device = await shownTo(client, { name: said })
      assert.equal(device.name, name)
    })

  test('signing up takes the same labels', async ({ client, assert }) => {
    const answer = await client.post('/api/v1/auth/signup').json({
      email: 'ada@example.com',
      password: 'a difference engine',
      device: { id: 'd'.repeat(512), name: 'n'.repeat(112), platform: 'Mac OS X' },
    })
    answer.assertStatus(201)
    assert.deepEqual(answer.body().data.session.device, {
      id: 'd'.repeat(512),
      name: 'n'.repeat(100),
      platform: 'macos',
    })
  })

  test('renaming still refuses a name that is too long', async ({ client }) => {
    const { tokens, session } = await signIn(await makeUser())
    const answer = await client
      .patch(`/api/v1/sessions/${session.id}`)
      .bearerToken(tokens.token)
      .json({ name: 'n'.repeat(101) })
    answer.assertStatus(422)
  })

  test('an id has up to 512 characters, and one that is longer is no other device', async ({
    client,
    assert,
  }) => {
    for (const id of ['d'.repeat(260), '携'.repeat(512)]) {
      const device = await shownTo(client, { id })
      assert.equal(device.id, id)
    }
    const refused = await logIn(client, { id: 'd'.repeat(513) })
    refused.assertStatus(422)
    assert.equal(refused.body().errors[0].field, 'device.id')
  })

  test('limits and filters by platform mean the normalized one', async ({ client, assert }) => {
    sessionsConfig.limit = 0
    sessionsConfig.limitPerPlatform = { 'mac.os': 1 }
    const user = await makeUser()
    const older = await signIn(user, { name: 'Older', platform: 'ios' })
    await db.from('sessions').where('id', older.session.id).update({ platform: 'mac_os' })
    const answer = await client.post('/api/v1/auth/login').json({
      email: user.email,
      password: PASSWORD,
      device: { name: 'Mac', platform: 'Mac OS X' },
    })
    const ended = answer.body().data.endedSessions
    assert.deepEqual(
      ended.map(({ id }: { id: string }) => id),
      [older.session.id],
      'a session that was stored before counts too'
    )

    for (const platform of ['Mac OS X', 'macos', ' MACOS ']) {
      const filters = await filtersValidator.validate({ platform })
      const { matched } = await previewForceLogout({ who: [user], filters, actor: 'system' })
      assert.equal(matched.sessions, 1, platform)
    }
    await db.from('sessions').whereNull('ended_at').update({ platform: 'web.desktop' })
    const filters = await filtersValidator.validate({ platform: 'web.desktop' })
    const { matched } = await previewForceLogout({ who: [user], filters, actor: 'system' })
    assert.equal(matched.sessions, 1, 'as it was stored before')
  })

  test('of two phones restored from one backup, the one that loses hears which took over', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const id = '7c9e6679-7425-40de-944b-e07fc1f90ae7'
    const first = await signIn(user, { id, name: 'Old phone', platform: 'ios' })
    const stream = await listen(server, first.tokens.token)
    await signIn(user, { id, name: 'New phone', platform: 'ios' })

    const told = await stream.next()
    await stream.closed()
    const checked = await client.get('/api/v1/account').bearerToken(first.tokens.token)
    const refreshed = await client
      .post('/api/v1/auth/refresh')
      .json({ refreshToken: first.tokens.refreshToken })
    for (const error of [told.data, checked.body().errors[0], refreshed.body().errors[0]]) {
      assert.equal(error.reason, 'replaced')
      assert.deepEqual(error.by, { name: 'New phone', platform: 'ios' })
      assert.include(error.message, 'New phone')
    }
  })
})
