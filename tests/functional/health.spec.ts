import { test } from '@japa/runner'

test.group('Health', () => {
  test('the process answers', async ({ client, assert }) => {
    const answer = await client.get('/health/live')
    answer.assertStatus(200)
    assert.deepEqual(answer.body(), { data: { status: 'ok' } })
  })

  test('a node with a migrated database is ready, and tells no address', async ({
    client,
    assert,
  }) => {
    const answer = await client.get('/health/ready')
    answer.assertStatus(200)
    const { status, checks } = answer.body().data
    assert.equal(status, 'ok')
    assert.includeMembers(
      checks.map((check: { name: string }) => check.name),
      ['Migrations']
    )
    assert.notMatch(answer.text(), /127\.0\.0\.1|sqlite3|\/tmp/)
  })
})
