import { once } from 'node:events'
import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

test.group('Shutdown', (group) => {
  group.each.setup(() => emptyDatabase())

  test('what has begun is answered, then the process ends, streams and all', async ({ assert }) => {
    const users = await Promise.all(Array.from({ length: 6 }, () => makeUser()))
    const server = await startServer()
    const first = await logIn(server.url, users[0].email)
    const stream = await fetch(`${server.url}/api/v1/session/events`, {
      headers: { authorization: `Bearer ${first.body.data.token}` },
    })
    assert.equal(stream.status, 200)

    let begun = 0
    const signIns = users.slice(1).map((user) => {
      begun++
      return logIn(server.url, user.email)
    })
    assert.equal(begun, 5)
    await Promise.race(signIns)
    const exited = once(server.process, 'exit')
    server.process.kill('SIGTERM')
    const answers = await Promise.all(signIns)
    for (const { status } of answers) assert.include([200, 503], status)
    const [code] = await exited
    assert.equal(code, 0)
  }).timeout(20_000)
})
