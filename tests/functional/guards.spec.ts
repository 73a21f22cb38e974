import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import * as DPoP from 'dpop'
import sessionsConfig from '#config/sessions'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import {
  APPS,
  type AppName,
  canRun,
  FRAMEWORKS,
  type GuardedApp,
  startGuardedApp,
} from '#tests/harness/guarded_apps'
import { within } from '#tests/harness/pace'
import { keepPolicy } from '#tests/harness/policy'
import { freePort } from '#tests/harness/ports'
import { makeClient } from '#tests/harness/service_clients'
import { trustProxies } from '#tests/harness/trusted_proxies'

const latchkey = `http://localhost:${process.env.PORT}`
const MODES = ['ask', 'follow'] as const

function ask(url: string, token: string, init: RequestInit = {}) {
  const headers = { ...(token && { authorization: `Bearer ${token}` }), ...init.headers }
  return fetch(`${url}/orders`, { ...init, headers })
}

/**
 * What of a refusal must be the same wherever the device asks.
 */
async function refusalOf(answer: Response) {
  const { status, headers } = answer
  const names = ['content-type', 'www-authenticate', 'cache-control']
  return { status, headers: names.map((name) => headers.get(name)), body: await answer.text() }
}

async function latchkeysOwn(token: string, query = '') {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  return refusalOf(await fetch(`${latchkey}/forward-auth${query}`, { headers }))
}

/**
 * The answer as soon as it is a refusal.
 */
async function untilRefused(url: string, token: string): Promise<Response> {
  const deadline = performance.now() + within(5_000)
  for (;;) {
    const answer = await ask(url, token)
    if (answer.status !== 200 || performance.now() > deadline) return answer
    await answer.body?.cancel()
    await sleep(10)
  }
}

async function clientEnvironment() {
  const { id, secret } = await makeClient(['introspect', 'feed'])
  return {
    LATCHKEY_URL: latchkey,
    LATCHKEY_CLIENT_ID: id,
    LATCHKEY_CLIENT_SECRET: secret,
  }
}

for (const name of FRAMEWORKS) {
  for (const mode of MODES) {
    test.group(`The guard in ${name}, mode ${mode}`, (group) => {
      let app: GuardedApp

      group.setup(async () => {
        await emptyDatabase()
        app = await startGuardedApp(name, await clientEnvironment(), (code, url) =>
          code
            .replace("mode: 'follow'", `mode: '${mode}'`)
            .replace('process.env.ORIGIN', `'${url}'`)
        )
        return () => app.stop()
      })
      group.each.setup(() => keepPolicy())

      test('whom a request speaks for', async ({ assert }) => {
        const user = await makeUser()
        const { tokens, session } = await signIn(user)
        for (let round = 0; round < 3; round++) {
          const answer = await ask(app.url, tokens.token)
          assert.equal(answer.status, 200)
          assert.deepEqual(await answer.json(), {
            userId: user.id,
            externalId: null,
            email: user.email,
            emailVerified: false,
            role: 'user',
            sessionId: session.id,
            abilities: ['*'],
            authenticatedAt: new Date(
              Math.floor(session.authenticatedAt.getTime() / 1000) * 1000
            ).toISOString(),
            actor: null,
          })
        }
      })

      test('an evicted device learns why, when and by which, unchanged', async ({ assert }) => {
        const user = await makeUser()
        const { tokens } = await signIn(user)
        const before = await ask(app.url, tokens.token)
        assert.equal(before.status, 200)
        await signIn(user, { name: 'Tablet', platform: 'android' })

        const told = await refusalOf(await untilRefused(app.url, tokens.token))
        assert.deepEqual(told, await latchkeysOwn(tokens.token))
        const [error] = JSON.parse(told.body).errors
        assert.containsSubset(error, {
          code: 'E_SESSION_ENDED',
          reason: 'superseded',
          by: { name: 'Tablet', platform: 'android' },
        })
        assert.isFalse(Number.isNaN(Date.parse(error.endedAt)))
      })

      test('no token, an unknown one, and two of them, in the words of Latchkey', async ({
        assert,
      }) => {
        for (const token of ['', 'oat_unknown', 'not a token']) {
          const told = await refusalOf(await ask(app.url, token))
          assert.equal(told.status, 401)
          assert.deepEqual(told, await latchkeysOwn(token))
        }
      })

      test('abilities and a fresh sign-in', async ({ assert }) => {
        sessionsConfig.apiKeyAbilities = ['orders:read', 'orders:write']
        const user = await makeUser()
        const { tokens } = await signIn(user)
        const reads = await makeApiKey(user, ['orders:read'])
        const writes = await makeApiKey(user, ['orders:write'])
        const status = async (method: string, token: string) => {
          const answer = await ask(app.url, token, { method })
          await answer.body?.cancel()
          return answer.status
        }
        for (let round = 0; round < 2; round++) {
          assert.equal(await status('GET', reads), 200)
          assert.equal(await status('POST', writes), 200)
          assert.equal(await status('POST', tokens.token), 200)
          assert.equal(await status('DELETE', tokens.token), 200)

          const lacking = await ask(app.url, reads, { method: 'POST' })
          assert.equal(lacking.status, 403)
          assert.equal(
            lacking.headers.get('www-authenticate'),
            'Bearer realm="latchkey", error="insufficient_scope", scope="orders:write"'
          )
          const body: any = await lacking.json()
          assert.equal(body.errors[0].code, 'E_FORBIDDEN')

          const keyed = await refusalOf(await ask(app.url, reads, { method: 'DELETE' }))
          assert.deepEqual(keyed, await latchkeysOwn(reads, '?max_age=600'))
          assert.equal(JSON.parse(keyed.body).errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
        }
      })

      test('a token that is bound to a key passes with a proof for this request', async ({
        assert,
      }) => {
        const key = await DPoP.generateKeyPair('ES256')
        const keyThumbprint = await DPoP.calculateThumbprint(key.publicKey)
        const { tokens } = await signIn(await makeUser(), { keyThumbprint })
        const authorization = `DPoP ${tokens.token}`
        const prove = (path: string) =>
          DPoP.generateProof(key, app.url + path, 'GET', undefined, tokens.token)
        const status = async (headers: Record<string, string>) => {
          const answer = await ask(app.url, '', { headers })
          return { status: answer.status, text: await answer.text() }
        }
        const restore = trustProxies(true)
        try {
          const dpop = await prove('/orders')
          const passed = await status({ authorization, dpop })
          assert.equal(passed.status, 200, passed.text)
          const again = await status({ authorization, dpop })
          assert.equal(again.status, 401)
          const elsewhere = await status({ authorization, dpop: await prove('/invoices') })
          assert.equal(elsewhere.status, 401)
          assert.match(elsewhere.text, /E_INVALID_DPOP_PROOF/)
          const stolen = await ask(app.url, tokens.token)
          assert.equal(stolen.status, 401)
          assert.match(stolen.headers.get('www-authenticate')!, /^DPoP /)
        } finally {
          restore()
        }
        const untrusted = await status({ authorization, dpop: await prove('/orders') })
        assert.equal(untrusted.status, 401)
        assert.match(untrusted.text, /E_INVALID_DPOP_PROOF/)
      })
    })
  }
}

for (const name of Object.keys(APPS) as AppName[]) {
  if (FRAMEWORKS.some((framework) => framework === name)) continue
  test.group(`By hand: ${name}`, (group) => {
    let app: GuardedApp

    group.setup(async () => {
      if (!canRun(name)) return async () => {}
      await emptyDatabase()
      app = await startGuardedApp(name, await clientEnvironment())
      return () => app.stop()
    })
    group.each.skip(!canRun(name), `${APPS[name].command} is not installed`)

    test('a live token passes, a dead one is told why, unchanged', async ({ assert }) => {
      const user = await makeUser()
      const { tokens } = await signIn(user)
      for (let round = 0; round < 3; round++) {
        const answer = await ask(app.url, tokens.token, {
          headers: { 'X-Auth-User-Id': '1000000' },
        })
        assert.equal(answer.status, 200)
        assert.equal(await answer.text(), String(user.id))
      }
      await signIn(user, { name: 'Tablet', platform: 'android' })
      const told = await refusalOf(await ask(app.url, tokens.token))
      assert.deepEqual(told, await latchkeysOwn(tokens.token))
      assert.containsSubset(JSON.parse(told.body).errors[0], {
        reason: 'superseded',
        by: { name: 'Tablet' },
      })
      const nobody = await refusalOf(await ask(app.url, ''))
      assert.deepEqual(nobody, await latchkeysOwn(''))
    })

    test('nothing passes while Latchkey is away', async ({ assert }) => {
      const env = {
        ...(await clientEnvironment()),
        LATCHKEY_URL: `http://localhost:${await freePort()}`,
      }
      const alone = await startGuardedApp(name, env)
      try {
        const answer = await ask(alone.url, 'oat_any')
        assert.equal(answer.status, 503)
        assert.equal(answer.headers.get('retry-after'), '1')
      } finally {
        await alone.stop()
      }
    })
  })
}
