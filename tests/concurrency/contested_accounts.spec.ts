import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { logIn } from '#tests/harness/http'
import { sharedServers, type TestServer } from '#tests/harness/server'

const SIGN_INS = 24

test.group('Contested accounts on two nodes', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    const env = {
      SESSION_CONTEST: '6/10m',
      SESSION_CONTEST_COOLDOWN: '15m',
      RATE_LIMIT_SIGN_IN: 'off',
    }
    servers = await sharedServers({ env }, { env })
  })
  group.each.setup(() => emptyDatabase())

  test('sign-ins of two devices race: one contest, six takeovers, then nobody but the device that is in', async ({
    assert,
  }) => {
    const user = await makeUser()
    const answers = await Promise.all(
      Array.from({ length: SIGN_INS }, (_, index) =>
        logIn(servers[index % 2].url, user.email!, {
          device: { id: (index >> 1) % 2 ? 'phone' : 'tablet' },
        })
      )
    )
    const codes = answers.map(({ status, body }) => body.errors?.[0].code ?? status)
    assert.isEmpty(codes.filter((code) => code !== 200 && code !== 'E_ACCOUNT_CONTESTED'))
    assert.equal(await countRows('session_events', { type: 'account.contested' }), 1)
    assert.equal(await countRows('sessions', { end_reason: 'superseded' }), 6)
    assert.equal(await countRows('sessions', { user_id: user.id, ended_at: null }), 1)
    const refused = answers.find(({ status }) => status === 429)
    assert.isAbove(Number(refused?.headers.get('retry-after')), 0)
  }).timeout(120_000)
})
