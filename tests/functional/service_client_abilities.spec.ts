import { test } from '@japa/runner'
import router from '@adonisjs/core/services/router'
import { CLIENT_ABILITIES, type ClientAbility } from '#app/service_clients/service_client'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase, snapshot } from '#tests/harness/database'
import { makeClient } from '#tests/harness/service_clients'

const server = `http://${process.env.HOST}:${process.env.PORT}`

/**
 * What each ability opens. Every other route refuses every service client.
 */
const OPENS: Record<ClientAbility, RegExp> = {
  introspect: /^POST \/oauth\/introspect$/,
  revoke: /^POST \/oauth\/revoke$/,
  feed: /^GET \/api\/v1\/revocations$/,
  sign_in: /^POST \/api\/v1\/sessions(\/:id\/confirm)?$/,
  manage: /^\w+ \/api\/v1\/admin\//,
}

/** Routes that ask nobody who they are, or ask by other means. */
const OPEN =
  /^\w+ (\/|\/api\/v1\/auth\/.*|\/\.well-known\/.*|\/oauth\/:endpoint|\/health\/.*|\/metrics|\/openapi\.json|\/reset-password|\/confirm-email|\/console\/.*|\/docs.*)$/

function routes(): string[] {
  return Object.values(router.toJSON())
    .flat()
    .map(({ methods, pattern }) => `${methods.includes('GET') ? 'GET' : methods[0]} ${pattern}`)
    .filter((route) => !OPEN.test(route))
}

async function ask(route: string, authorization: string) {
  const [method, pattern] = route.split(' ')
  const isForm = pattern.startsWith('/oauth/')
  const response = await fetch(new URL(pattern.replace(/:\w+/g, '1'), server), {
    method,
    headers: {
      authorization,
      ...(!isForm && method !== 'GET' && { 'content-type': 'application/json' }),
    },
    body: method === 'GET' ? undefined : isForm ? new URLSearchParams({ token: 'none' }) : '{}',
  })
  const body = (await response.json().catch(() => ({}))) as { error?: string }
  return { status: response.status, error: body.error }
}

test.group('Abilities of service clients', (group) => {
  group.each.setup(() => emptyDatabase())

  test('every route that knows who asks is open to the right ability alone', async ({ assert }) => {
    await makeUser({ role: 'admin' })
    const judged = routes()
    assert.isAbove(judged.length, 30)
    for (const ability of CLIENT_ABILITIES) {
      const others = CLIENT_ABILITIES.filter((one) => one !== ability)
      const [only, allButIt] = [await makeClient([ability]), await makeClient(others)]
      const before = await snapshot()
      for (const route of judged) {
        const opens = OPENS[ability].test(route)
        const isForClients = Object.values(OPENS).some((pattern) => pattern.test(route))
        const said = await ask(route, (opens ? allButIt : only).basic)
        const refused = route.includes('/oauth/')
          ? said.error === 'unauthorized_client'
          : isForClients
            ? said.status === 403 || (said.status === 401 && !opens)
            : said.status === 401
        assert.isTrue(refused, `${route} without ${ability}: ${said.status} ${said.error}`)
      }
      assert.equal(await snapshot(), before)
      for (const route of judged.filter((one) => OPENS[ability].test(one))) {
        const { status, error } = await ask(route, only.basic)
        assert.notInclude([401, 500, 503], status, `${route} with ${ability}`)
        assert.notEqual(error, 'unauthorized_client', route)
        if (ability !== 'manage') assert.notEqual(status, 403, route)
      }
    }
  }).timeout(120_000)
})
