import { test } from '@japa/runner'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import {
  LatchkeyClient,
  LatchkeyError,
  type LatchkeyErrorBody,
  type Options,
  type Tokens,
} from '../../docs/client/latchkey_client.js'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

const url = `http://${process.env.HOST}:${process.env.PORT}`

/**
 * A client that remembers what it asked for, and whose calls back can be waited for.
 */
function makeClient(options: Partial<Options> = {}) {
  const asked: string[] = []
  const kept: (Tokens | null)[] = []
  const signedOut = Promise.withResolvers<LatchkeyErrorBody>()
  const opened = Promise.withResolvers<string>()
  const listening = Promise.withResolvers<void>()
  let ends = 0
  const client = new LatchkeyClient({
    url,
    onTokens: (tokens) => kept.push(tokens),
    onSignedOut: (error) => {
      ends++
      signedOut.resolve(error)
    },
    onOpenedElsewhere: ({ session }) => opened.resolve(session.id),
    fetch: async (input, init) => {
      const { pathname } = new URL(String(input))
      asked.push(pathname)
      const answer = await fetch(input, init)
      if (pathname === '/api/v1/session/events') listening.resolve()
      return answer
    },
    ...options,
  })
  return {
    client,
    asked,
    kept,
    signedOut: signedOut.promise,
    opened: opened.promise,
    /** Resolves when the event stream is open. */
    listening: listening.promise,
    ends: () => ends,
  }
}

test.group('The client to copy', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restorePolicy = keepPolicy()
    return () => {
      restorePolicy()
      clock.restore()
    }
  })

  test('signs in, sends requests and signs out', async ({ assert }) => {
    const user = await makeUser()
    const { client, kept, ends } = makeClient()
    const signedIn = await client.signIn({ email: user.email, password: PASSWORD })
    assert.equal(signedIn.user.email, user.email)
    assert.match(kept[0]!.token, /^oat_/)

    const answer = await client.request('/api/v1/account')
    assert.equal(answer.status, 200)
    await client.signOut()
    assert.isFalse(client.isSignedIn)
    assert.equal(ends(), 0)
  })

  test('a refused sign-in throws what the API says', async ({ assert }) => {
    const user = await makeUser()
    const { client } = makeClient()
    const refusal = await client
      .signIn({ email: user.email, password: 'wrong' })
      .catch((error: unknown) => error)
    assert.instanceOf(refusal, LatchkeyError)
    assert.equal((refusal as LatchkeyError).body.code, 'E_INVALID_CREDENTIALS')
  })

  test('renews once for many requests that find the token expired', async ({ assert }) => {
    clock.freeze()
    const user = await makeUser()
    const { client, asked, kept } = makeClient()
    await client.signIn({ email: user.email, password: PASSWORD })
    clock.advance(sessionsConfig.accessTokenTtl)

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.request('/api/v1/account'))
    )
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
    assert.lengthOf(
      asked.filter((path) => path === '/api/v1/auth/refresh'),
      1
    )
    assert.lengthOf(kept, 2)
  })

  test('hears at once that it was signed out, and why', async ({ assert }) => {
    const user = await makeUser()
    const { client, kept, signedOut, ends } = makeClient()
    await client.signIn({ email: user.email, password: PASSWORD })
    client.listen()
    await forceLogout({ who: [user], actor: 'system' })
    const error = await signedOut
    assert.containsSubset(error, { code: 'E_SESSION_ENDED', reason: 'forced' })
    assert.equal(error.message, 'You were signed out by an administrator.')
    assert.isFalse(client.isSignedIn)
    assert.isNull(kept.at(-1)!)
    assert.equal(ends(), 1)
  })

  test('hears of a sign-in elsewhere', async ({ assert }) => {
    sessionsConfig.limit = 2
    const user = await makeUser()
    const { client, opened, listening } = makeClient()
    await client.signIn({ email: user.email, password: PASSWORD })
    client.listen()
    await listening
    const other = await signIn(user)
    assert.equal(await opened, other.session.id)
    client.stopListening()
  })

  test('learns of its end by a request too, and calls back once', async ({ assert }) => {
    const user = await makeUser()
    const { client, signedOut, ends } = makeClient()
    await client.signIn({ email: user.email, password: PASSWORD })
    await signIn(user, { name: 'Tablet', platform: 'android' })
    const answers = await Promise.all([1, 2, 3].map(() => client.request('/api/v1/account')))
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [401])
    const error = await signedOut
    assert.containsSubset(error, { reason: 'superseded', by: { name: 'Tablet' } })
    assert.equal(ends(), 1)
  })

  test('keeps its tokens when the server can not be reached', async ({ assert }) => {
    clock.freeze()
    const user = await makeUser()
    let down = false
    const { client, ends } = makeClient({
      fetch: (input, init) => {
        if (down && String(input).endsWith('/refresh')) throw new TypeError('fetch failed')
        return fetch(input, init)
      },
    })
    await client.signIn({ email: user.email, password: PASSWORD })
    clock.advance(sessionsConfig.accessTokenTtl)
    down = true
    await assert.rejects(() => client.request('/api/v1/account'), /fetch failed/)
    assert.isTrue(client.isSignedIn)
    assert.equal(ends(), 0)
    down = false
    const answer = await client.request('/api/v1/account')
    assert.equal(answer.status, 200)
  })
})
