import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { issueOldToken, makeTokensTable } from '#tests/harness/old_tokens'
import { sharedServers } from '#tests/harness/server'
import { until } from '#tests/harness/until'

const TABLE = 'auth_access_tokens'
const env = {
  LEGACY_TOKENS_KIND: 'adonis',
  LEGACY_TOKENS_USER: 'id',
  LEGACY_TOKENS_MAX_AGE: '90d',
  LEGACY_TOKENS_UNTIL: '2099-01-01',
  RATE_LIMIT_SIGN_IN: 'off',
}

test.group('Old tokens on two nodes', (group) => {
  group.setup(async () => {
    await emptyDatabase()
    await makeTokensTable(db.connection(), 'adonis', TABLE)
    return () => db.connection().schema.dropTable(TABLE)
  })

  test('of many exchanges of one token at once, one signs in; of two tokens one session is left', async ({
    assert,
  }) => {
    const nodes = await sharedServers({ env }, { env })
    const user = await makeUser()
    const issue = () => issueOldToken(db.connection(), 'adonis', TABLE, user.id)
    const tokens = [await issue(), await issue()]
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => {
        const body = { token: tokens[at % 4 < 2 ? 0 : 1] }
        return call(nodes[at % 2].url, 'POST', '/api/v1/auth/exchange', { body })
      })
    )
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [200, 200, ...Array(38).fill(400)])
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
    assert.equal(await countRows('spent_legacy_tokens'), 2)
    await until(async () => (await countRows(TABLE)) === 0, 'the old tokens are deleted')
  }).timeout(60_000)
})
