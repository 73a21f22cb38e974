import { test } from '@japa/runner'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

test.group('More sign-ins than a server can take', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a few wait, the rest are refused at once, and checks go on', async ({ assert }) => {
    const server = await startServer({ env: { HASH_QUEUE_LIMIT: '5' } })
    const users = await Promise.all(Array.from({ length: 60 }, () => makeUser()))
    const { body } = await logIn(server.url, users[0].email)

    let storming = true
    const checks: number[] = []
    const checking = (async () => {
      while (storming) {
        const { status } = await call(server.url, 'GET', '/api/v1/account', {
          token: body.data.token,
        })
        checks.push(status)
      }
    })()
    const order: number[] = []
    const storm = await Promise.all(
      users.slice(1).map(async ({ email }) => {
        const answer = await logIn(server.url, email)
        order.push(answer.status)
        return answer
      })
    )
    storming = false
    await checking

    const refused = storm.filter(({ status }) => status !== 200)
    assert.isAbove(refused.length, 20)
    assert.isAbove(storm.length - refused.length, 5)
    for (const answer of refused) {
      assert.equal(`${answer.status} ${answer.body.errors[0].code}`, '503 E_UNAVAILABLE')
      assert.match(answer.headers.get('retry-after')!, /^\d+$/)
    }
    assert.isAbove(order.lastIndexOf(200), order.lastIndexOf(503))
    assert.isAbove(checks.length, 3)
    assert.deepEqual([...new Set(checks)], [200])
    const { status } = await logIn(server.url, users[0].email)
    assert.equal(status, 200)
    await server.stop()
  }).timeout(60_000)

  test('an attacker who floods the queue keeps nobody else out, with the rate limit {$self}')
    .with(['off', '10/1m'])
    .run(async ({ assert, cleanup }, rateLimit) => {
      const server = await startServer({
        env: { HASH_QUEUE_LIMIT: '20', RATE_LIMIT_SIGN_IN: rateLimit, TRUST_PROXY: 'loopback' },
      })
      cleanup(() => server.stop())
      const honest = await Promise.all(Array.from({ length: 8 }, () => makeUser()))
      const signIn = (email: string, password: string, ip: string) =>
        call(server.url, 'POST', '/api/v1/auth/login', {
          body: { email, password },
          headers: { 'x-forwarded-for': ip },
        })

      let attacking = true
      const told: number[] = []
      const attackers = Array.from({ length: 90 }, async (_, index) => {
        for (let guess = 0; attacking; guess++) {
          const email = index % 2 ? 'victim@example.com' : `victim${index}.${guess}@example.com`
          const { status } = await signIn(email, `guess ${guess}`, `2001:db8:0:${index % 3}::1`)
          told.push(status)
        }
      })
      while (!told.includes(503)) await new Promise((resolve) => setTimeout(resolve, 10))

      const answers = []
      for (let round = 0; round < 2; round++) {
        const signIns = honest.map(({ email }, index) =>
          signIn(email, PASSWORD, index < 4 ? '198.51.100.1' : `198.51.100.${index}`)
        )
        answers.push(...(await Promise.all(signIns)))
      }
      attacking = false
      await Promise.all(attackers)
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    })
    .timeout(60_000)
})
