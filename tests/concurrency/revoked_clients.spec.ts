import { test } from '@japa/runner'
import { revokeClient } from '#app/service_clients/service_client'
import { emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { sharedServers } from '#tests/harness/server'
import { makeClient } from '#tests/harness/service_clients'

test.group('Revoked service clients', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a waiting request ends within 2 s, on another node than the revocation', async ({
    assert,
  }) => {
    const [node] = await sharedServers({}, {})
    const client = await makeClient(['feed'])
    const other = await makeClient(['feed'])
    const wait = (header: string, seconds: number) =>
      call(node.url, 'GET', `/api/v1/revocations?after=now&wait=${seconds}`, {
        headers: { authorization: header },
      })
    const waiting = [wait(client.basic, 30), wait(client.basic, 30)]
    const bystander = wait(other.basic, 3)
    /** The first has been let in and waits, or the revocation would refuse it at the door. */
    await wait(other.basic, 0.5)

    const began = performance.now()
    await revokeClient(client.id, 'system')
    for (const answer of await Promise.all(waiting)) {
      assert.equal(answer.status, 401)
      assert.equal(answer.body.errors[0].code, 'E_UNAUTHORIZED_ACCESS')
    }
    assert.isBelow(performance.now() - began, 2_000)
    const spared = await bystander
    assert.equal(spared.status, 200)
  })
})
