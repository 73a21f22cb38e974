import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import * as DPoP from 'dpop'
import { readHolder } from '#app/auth/session_binding'
import clock from '#app/clock'
import legacyJwtConfig from '#config/legacy_jwt'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { limitRates } from '#tests/harness/rate_limits'
import { until } from '#tests/harness/until'

const MINUTE = 60_000
const ROUTES = ['login', 'signup', 'exchange', 'refresh'] as const
type Route = (typeof ROUTES)[number]

/**
 * What each route refuses although it is well formed.
 */
const REFUSED: Record<Route, { body: Record<string, string>; status: number }> = {
  login: { body: { email: 'taken@example.com', password: 'wrong' }, status: 400 },
  signup: { body: { email: 'taken@example.com', password: PASSWORD }, status: 422 },
  exchange: { body: { jwt: 'a.b.c' }, status: 400 },
  refresh: { body: { refreshToken: 'ort_nothing' }, status: 400 },
}

const makeProof = (key: DPoP.KeyPair, route: Route) =>
  DPoP.generateProof(key, `${process.env.APP_URL}/api/v1/auth/${route}`, 'POST')

async function post(route: Route, body: unknown, dpop: string) {
  const server = `http://${process.env.HOST}:${process.env.PORT}`
  const options = { body, headers: { dpop } }
  const { status, body: answer } = await call(server, 'POST', `/api/v1/auth/${route}`, options)
  return { status, code: answer.errors?.[0].code as string | undefined }
}

test.group('Proofs of who is refused', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const config = { ...legacyJwtConfig }
    const own = { secret: 'the old system shared this secret', algorithms: ['HS256'] }
    const openUntil = new Date(clock.millis() + MINUTE)
    Object.assign(legacyJwtConfig, { ...own, user: 'email', until: openUntil })
    return () => void Object.assign(legacyJwtConfig, config)
  })

  test('{$self}: a good proof of a stranger is not written down')
    .with([...ROUTES])
    .run(async ({ assert, cleanup }, route) => {
      await makeUser({ email: 'taken@example.com' })
      const written: string[] = []
      const note = ({ sql }: { sql: string }) => {
        if (/dpop_proofs/.test(sql)) written.push(sql)
      }
      const knex = db.connection().getWriteClient()
      knex.on('query', note)
      cleanup(() => void knex.removeListener('query', note))

      const key = await DPoP.generateKeyPair('ES256')
      const answer = await post(route, REFUSED[route].body, await makeProof(key, route))
      assert.equal(answer.status, REFUSED[route].status)
      assert.deepEqual(written, [])
      assert.equal(await countRows('dpop_proofs'), 0)
    })

  test('a proof counts as used once it was of use, and not before', async ({ assert }) => {
    const { email } = await makeUser()
    const key = await DPoP.generateKeyPair('ES256')
    const proof = await makeProof(key, 'login')
    const wrong = await post('login', { email, password: 'wrong' }, proof)
    assert.equal(wrong.code, 'E_INVALID_CREDENTIALS')
    const right = { email, password: PASSWORD }
    const answers = await Promise.all([post('login', right, proof), post('login', right, proof)])
    assert.sameMembers(
      answers.map(({ status }) => status),
      [200, 400]
    )
    const replayed = await post('login', right, proof)
    assert.equal(replayed.code, 'E_INVALID_DPOP_PROOF')
    assert.equal(await countRows('sessions'), 1)
    assert.equal(await countRows('dpop_proofs'), 1)
  })

  test('a refresh that is sent again with its proof ends nothing', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const keyThumbprint = await DPoP.calculateThumbprint(key.publicKey)
    const { tokens } = await signIn(await makeUser(), { keyThumbprint })
    const body = { refreshToken: tokens.refreshToken }
    const proof = await makeProof(key, 'refresh')
    const renewed = await post('refresh', body, proof)
    assert.equal(renewed.status, 200)
    const again = await post('refresh', body, proof)
    assert.equal(again.code, 'E_INVALID_DPOP_PROOF')
    const [session] = await db.from('sessions')
    assert.isNull(session.ended_at)
  })

  test('{$self}: the body is looked at before the proof')
    .with([...ROUTES])
    .run(async ({ assert }, route) => {
      for (const dpop of ['nonsense', 'a'.repeat(3_000)]) {
        const answer = await post(route, {}, dpop)
        assert.deepEqual(answer, { status: 422, code: 'E_VALIDATION_ERROR' })
      }
    })

  test('{$self}: bad proofs count, so that not even a good one passes then')
    .with([...ROUTES])
    .run(async ({ assert, cleanup }, route) => {
      const limit = { count: 2, windowMs: MINUTE }
      cleanup(limitRates({ signIn: limit, signUp: limit, refresh: limit }))
      const { body } = REFUSED[route]
      for (let guess = 0; guess < 2; guess++) {
        const guessed = await post(route, body, 'nonsense')
        assert.equal(guessed.code, 'E_INVALID_DPOP_PROOF')
      }
      const key = await DPoP.generateKeyPair('ES256')
      const refused = await post(route, body, await makeProof(key, route))
      assert.deepEqual(refused, { status: 429, code: 'E_TOO_MANY_REQUESTS' })
    })

  test('few proofs are verified at once, and networks take turns', async ({ assert, cleanup }) => {
    const { subtle } = globalThis.crypto
    const { verify } = subtle
    const held: (() => void)[] = []
    let running = 0
    let most = 0
    subtle.verify = async (...args: Parameters<typeof verify>) => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => held.push(resolve))
      running--
      return verify.apply(subtle, args)
    }
    cleanup(() => void (subtle.verify = verify))

    const key = await DPoP.generateKeyPair('ES256')
    const done: string[] = []
    const verifyFor = async (ip: string) => {
      await readHolder(messageFrom(ip, await makeProof(key, 'login')))
      done.push(ip)
    }
    const flood = Array.from({ length: 40 }, () => verifyFor('192.0.2.1'))
    await until(() => held.length > 0, 'The first proof should be verified')
    const other = verifyFor('198.51.100.1')
    const all = Promise.all([...flood, other])
    const letGo = setInterval(() => held.shift()?.(), 1)
    cleanup(() => clearInterval(letGo))
    await other
    const bound = Math.max(availableParallelism() - 1, 1)
    assert.isAtMost(done.length, 3 * bound + 1)
    await all
    assert.isAtMost(most, bound)
    assert.lengthOf(done, 41)
  })
})

/**
 * A sign-in from an address, as the server reads it.
 */
function messageFrom(ip: string, dpop: string): IncomingMessage {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: ip })
  const message = new IncomingMessage(socket)
  Object.assign(message, { method: 'POST', url: '/api/v1/auth/login' })
  message.rawHeaders = ['DPoP', dpop]
  return message
}
