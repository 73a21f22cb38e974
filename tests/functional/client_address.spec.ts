import { test } from '@japa/runner'
import logger from '@adonisjs/core/services/logger'
import { forgetWarning, readAddress } from '#app/http/client_address'
import { trustOf } from '#config/trusted_proxies'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { limitRates } from '#tests/harness/rate_limits'
import { trustProxies } from '#tests/harness/trusted_proxies'

const server = () => `http://${process.env.HOST}:${process.env.PORT}`

function signInFrom(forwarded: string, email: string, password = PASSWORD) {
  return call(server(), 'POST', '/api/v1/auth/login', {
    body: { email, password },
    headers: { 'x-forwarded-for': forwarded },
  })
}

test.group('The address of a client', (group) => {
  group.each.setup(() => emptyDatabase())

  test('{0} is read as {1}')
    .with([
      ['203.0.113.8', '203.0.113.8'],
      [' 203.0.113.8:50001 ', '203.0.113.8'],
      ['[2001:DB8::1]:443', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
      ['::ffff:203.0.113.8', '203.0.113.8'],
      ['[::ffff:203.0.113.8]:80', '203.0.113.8'],
      ['fe80::1%eth0', 'fe80::1'],
      ['unknown', null],
      ['_hidden', null],
      ['203.0.113.8:x', null],
      ['203.0.113.999', null],
      ['', null],
      ['1'.repeat(300), null],
    ] as const)
    .run(({ assert }, [text, address]) => {
      assert.equal(readAddress(text), address)
    })

  test('a list of trusted proxies holds names, addresses and ranges', ({ assert }) => {
    const trusts = trustOf('loopback,192.0.2.0/24,2001:db8::/32')
    for (const yes of ['127.0.0.1', '::1', '192.0.2.77', '2001:db8::9']) assert.isTrue(trusts(yes))
    for (const no of ['192.0.3.1', '10.0.0.1', '2001:db9::1', '']) assert.isFalse(trusts(no))
  })

  test('the session list shows {0} as {1}')
    .with([
      ['203.0.113.8:50001', '203.0.113.8'],
      ['junk, 203.0.113.8', '203.0.113.8'],
      ['203.0.113.8, 192.0.2.5:4000', '203.0.113.8'],
      ['unknown', '127.0.0.1'],
      ['x'.repeat(300), '127.0.0.1'],
    ] as const)
    .run(async ({ assert, cleanup }, [forwarded, shown]) => {
      cleanup(trustProxies('loopback,192.0.2.0/24'))
      const { email } = await makeUser()
      const answer = await signInFrom(forwarded, email)
      assert.equal(answer.body.data.session.ip, shown)
    })

  test('with every proxy trusted a long value is no fault', async ({ assert, cleanup }) => {
    cleanup(trustProxies(true))
    const { email } = await makeUser()
    const answer = await signInFrom('9'.repeat(300), email)
    assert.equal(answer.status, 200)
    assert.equal(answer.body.data.session.ip, '127.0.0.1')
  })

  test('another port or junk is no other network to the rate limit', async ({
    assert,
    cleanup,
  }) => {
    cleanup(trustProxies('loopback'))
    cleanup(limitRates({ signIn: { count: 2, windowMs: 60_000 } }))
    const { email } = await makeUser()
    const told: number[] = []
    for (const port of [1, 2, 3]) {
      told.push(
        await signInFrom(`203.0.113.8:${port}`, email, 'wrong').then(({ status }) => status)
      )
    }
    for (const junk of ['a', 'b', 'c'])
      told.push(await signInFrom(junk, email, 'wrong').then(({ status }) => status))
    assert.deepEqual(told, [400, 400, 429, 400, 400, 429])
  })

  test('the first X-Forwarded-For of a peer that is not trusted is warned about, once', async ({
    assert,
    cleanup,
  }) => {
    cleanup(trustProxies(false))
    forgetWarning()
    const warnings: unknown[] = []
    const { warn } = logger
    logger.warn = ((...args: unknown[]) => warnings.push(args.at(-1))) as typeof warn
    cleanup(() => {
      logger.warn = warn
    })
    const { email } = await makeUser()
    for (const ip of ['203.0.113.8', '203.0.113.9']) await signInFrom(ip, email)
    const told = warnings.filter((text) => String(text).includes('TRUST_PROXY'))
    assert.lengthOf(told, 1)
  })
})
