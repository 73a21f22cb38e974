import { request as openRequest } from 'node:http'
import { test } from '@japa/runner'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase, snapshot } from '#tests/harness/database'

type RawAnswer = { status: number; challenge: string | undefined; body: any }

/**
 * A request with exactly these headers, repeated ones included.
 */
function getAccount(headers: string[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = openRequest(
      {
        host: process.env.HOST,
        port: process.env.PORT,
        path: '/api/v1/account',
        headers: ['Host', 'localhost', ...headers],
      } as any,
      async (response) => {
        const chunks = await response.toArray()
        resolve({
          status: response.statusCode!,
          challenge: response.headers['www-authenticate'],
          body: JSON.parse(chunks.join('')),
        })
      }
    )
    request.on('error', reject)
    request.end()
  })
}

const wellFormed = `oat_${'A'.repeat(43)}`

/**
 * Headers that carry no token of ours, and what the table says to each.
 */
const refusals: [title: string, header: string, status: number, code: string][] = [
  ['another scheme', 'Basic dXNlcjpwYXNz', 401, 'E_UNAUTHORIZED_ACCESS'],
  ['an unknown token', `Bearer ${wellFormed}`, 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a token of another prefix', `Bearer xyz_${'A'.repeat(43)}`, 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a refresh token', `Bearer ort_${'A'.repeat(43)}`, 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a token that is too short', 'Bearer oat_AAAA', 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a token that is too long', `Bearer ${wellFormed}A`, 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a prefix alone', 'Bearer oat_', 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a prefix in capitals', `Bearer OAT_${'A'.repeat(43)}`, 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a JWT', 'Bearer eyJhbGciOiJub25lIn0.e30.', 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a stock id and secret', 'Bearer oat_MQ.c2VjcmV0', 401, 'E_UNAUTHORIZED_ACCESS'],
  ['a very long token', `Bearer ${'A'.repeat(8000)}`, 401, 'E_UNAUTHORIZED_ACCESS'],
  ['the scheme alone', 'Bearer', 400, 'E_INVALID_REQUEST'],
  ['the scheme and a space', 'Bearer ', 400, 'E_INVALID_REQUEST'],
  ['no value', '', 400, 'E_INVALID_REQUEST'],
  ['two tokens', `Bearer ${wellFormed} ${wellFormed}`, 400, 'E_INVALID_REQUEST'],
  ['a list of tokens', `Bearer ${wellFormed},${wellFormed}`, 400, 'E_INVALID_REQUEST'],
  ['no space after the scheme', `Bearer${wellFormed}`, 400, 'E_INVALID_REQUEST'],
  ['a tab after the scheme', `Bearer\t${wellFormed}`, 400, 'E_INVALID_REQUEST'],
  ['a quoted token', `Bearer "${wellFormed}"`, 400, 'E_INVALID_REQUEST'],
  ['a comment', `Bearer ${wellFormed};a=b`, 400, 'E_INVALID_REQUEST'],
  ['no scheme', wellFormed, 400, 'E_INVALID_REQUEST'],
  ['a colon for a space', `Bearer:${wellFormed}`, 400, 'E_INVALID_REQUEST'],
  ['letters beyond ASCII', `Bearer oat_${'é'.repeat(43)}`, 400, 'E_INVALID_REQUEST'],
  ['SQL', `Bearer ' OR 1=1 --`, 400, 'E_INVALID_REQUEST'],
]

test.group('Authorization header', (group) => {
  group.each.setup(() => emptyDatabase())

  test('without one the challenge is bare', async ({ assert }) => {
    const { status, challenge, body } = await getAccount([])
    assert.equal(status, 401)
    assert.equal(challenge, 'Bearer realm="latchkey"')
    assert.equal(body.errors[0].code, 'E_UNAUTHORIZED_ACCESS')
  })

  test('{0} is refused and writes nothing')
    .with(refusals)
    .run(async ({ assert }, [, header, status, code]) => {
      await signIn(await makeUser())
      const before = await snapshot()
      const answer = await getAccount(['Authorization', header])
      assert.equal(answer.status, status)
      assert.equal(answer.body.errors[0].code, code)
      assert.match(answer.challenge!, /^Bearer realm="latchkey"/)
      assert.deepEqual(await snapshot(), before)
    })

  test('two of them are refused, even when each alone would pass', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    const bearer = `Bearer ${tokens.token}`
    for (const second of [bearer, 'Basic dXNlcjpwYXNz', '']) {
      const answer = await getAccount(['Authorization', bearer, 'authorization', second])
      assert.equal(answer.status, 400)
      assert.equal(answer.body.errors[0].code, 'E_INVALID_REQUEST')
    }
  })

  test("the scheme's case does not matter", async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const answer = await getAccount(['Authorization', `${scheme} ${tokens.token}`])
      assert.equal(answer.status, 200)
    }
  })

  test('a token with any one character changed is unknown', async ({ assert }) => {
    const { tokens } = await signIn(await makeUser())
    const before = await snapshot()
    for (let index = 0; index < tokens.token.length; index++) {
      const other = tokens.token[index] === 'x' ? 'y' : 'x'
      const changed = tokens.token.slice(0, index) + other + tokens.token.slice(index + 1)
      const answer = await getAccount(['Authorization', `Bearer ${changed}`])
      assert.equal(answer.status, 401)
      assert.equal(answer.body.errors[0].code, 'E_UNAUTHORIZED_ACCESS')
      assert.include(answer.challenge!, 'error="invalid_token"')
    }
    assert.deepEqual(await snapshot(), before)
  })
})
