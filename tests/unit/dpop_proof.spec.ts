import { test } from '@japa/runner'
import * as DPoP from 'dpop'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import clock from '#app/clock'
import { InvalidProof, verifyProof, type ProofTarget } from '#app/auth/dpop/proof'
import { rememberProof } from '#app/auth/dpop/replay'
import { PROOFS } from '#tests/hostile/values'

const URL = 'https://api.example.com/api/v1/account'
const target: ProofTarget = { method: 'GET', urls: [URL] }

/**
 * A proof made by hand, with whatever is wrong in it.
 */
async function forge(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  alg = 'ES256'
) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const now = Math.floor(clock.millis() / 1000)
  const payload = { jti: 'a-proof-of-its-own', htm: 'GET', htu: URL, iat: now, ...claims }
  return new SignJWT(payload)
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: await exportJWK(publicKey), ...header })
    .sign(privateKey)
}

test.group('DPoP proof', (group) => {
  group.each.teardown(() => clock.restore())

  test('one made by a client of its own names the key that signed it', async ({ assert }) => {
    const key = await DPoP.generateKeyPair('ES256')
    const made = await DPoP.generateProof(key, `${URL}?page=2`, 'GET', undefined, 'oat_token')
    const proof = await verifyProof(made, { ...target, accessToken: 'oat_token' })
    assert.equal(proof.keyThumbprint, await DPoP.calculateThumbprint(key.publicKey))
  })

  test('{0} is refused')
    .with([
      ['another method', { htm: 'POST' }, {}],
      ['another URL', { htu: 'https://api.example.com/api/v1/sessions' }, {}],
      ['another host', { htu: 'https://evil.example.com/api/v1/account' }, {}],
      ['a URL that is none', { htu: '/api/v1/account' }, {}],
      ['no jti', { jti: undefined }, {}],
      ['a jti that is no string', { jti: 12345678 }, {}],
      ['a short jti', { jti: 'x' }, {}],
      ['no iat', { iat: undefined }, {}],
      ['another typ', {}, { typ: 'JWT' }],
      ['no key', {}, { jwk: undefined }],
    ] as [string, Record<string, unknown>, Record<string, unknown>][])
    .run(async ({ assert }, [, claims, header]) => {
      const proof = await forge(claims, header)
      await assert.rejects(() => verifyProof(proof, target), InvalidProof)
    })

  test('a private key in the header is refused', async ({ assert }) => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const proof = await forge({}, { jwk: await exportJWK(privateKey) })
    await assert.rejects(() => verifyProof(proof, target), InvalidProof)
  })

  test('a key that did not sign it is refused', async ({ assert }) => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    const proof = await forge({}, { jwk: await exportJWK(publicKey) })
    await assert.rejects(() => verifyProof(proof, target), InvalidProof)
  })

  test('a symmetric or missing signature is refused', async ({ assert }) => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { jti: 'a-proof-of-its-own', htm: 'GET', htu: URL, iat: Date.now() / 1000 }
    const unsigned = `${encode({ alg: 'none', typ: 'dpop+jwt' })}.${encode(claims)}.`
    await assert.rejects(() => verifyProof(unsigned, target), InvalidProof)
    for (const nonsense of ['', 'a.b.c', 'nonsense']) {
      await assert.rejects(() => verifyProof(nonsense, target), InvalidProof)
    }
  })

  test('whatever stands in its header, it is refused and breaks nothing', async ({ assert }) => {
    for (const proof of PROOFS) {
      await assert.rejects(() => verifyProof(proof, target), InvalidProof)
    }
  })

  test('it holds for a minute, and as long for a clock that is a little ahead', async ({
    assert,
  }) => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    const proof = await forge()
    clock.advance(65_000)
    await verifyProof(proof, target)
    clock.advance(1_000)
    await assert.rejects(() => verifyProof(proof, target), InvalidProof)

    const ahead = await forge()
    clock.advance(-5_000)
    await verifyProof(ahead, target)
    clock.advance(-1_000)
    await assert.rejects(() => verifyProof(ahead, target), InvalidProof)
  })

  test('a token of another hash is refused', async ({ assert }) => {
    const proof = await forge({ ath: 'x' })
    const bound = { ...target, accessToken: 'oat_token' }
    await assert.rejects(() => verifyProof(proof, bound), InvalidProof)
    await assert.rejects(async () => verifyProof(await forge(), bound), InvalidProof)
  })

  test('of many at once that use one proof, one passes', async ({ assert }) => {
    const proof = await verifyProof(await forge({ jti: `replayed-${Math.random()}` }), target)
    const passed = await Promise.all(Array.from({ length: 20 }, () => rememberProof(proof)))
    assert.lengthOf(
      passed.filter((first) => first),
      1
    )
  })
})
