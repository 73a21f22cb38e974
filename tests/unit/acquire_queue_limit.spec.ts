import { test } from '@japa/runner'
import { limitAcquireQueue } from '#app/database/acquire_queue_limit'

test.group('Waiting for a connection', () => {
  test('so many wait, the next one is refused at once, and lets in again later', async ({
    assert,
  }) => {
    let waiting = 0
    const client = {
      pool: { numPendingAcquires: () => waiting },
      acquireConnection: async () => 'a connection',
    }
    limitAcquireQueue(client, { most: 2 })

    waiting = 1
    assert.equal(await client.acquireConnection(), 'a connection')
    waiting = 2
    await assert.rejects(() => client.acquireConnection(), /try again|unavailable/i)
    waiting = 1
    assert.equal(await client.acquireConnection(), 'a connection')
  })

  test('whoever gets none is told that the database is out of reach, and why', async ({
    assert,
  }) => {
    const fault = new Error('The server does not support SSL connections')
    const client = { acquireConnection: () => Promise.reject(fault) }
    limitAcquireQueue(client)
    const error = await client.acquireConnection().catch((refusal: unknown) => refusal)
    assert.propertyVal(error, 'code', 'E_UNAVAILABLE')
    assert.propertyVal(error, 'cause', fault)
  })
})
