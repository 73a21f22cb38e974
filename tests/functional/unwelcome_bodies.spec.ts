import { gzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import { emptyDatabase } from '#tests/harness/database'

function send(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return fetch(`http://${process.env.HOST}:${process.env.PORT}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: new Blob([body]),
  })
}

async function codeOf(answer: Response) {
  const { errors }: any = await answer.json()
  return [answer.status, errors[0].code, errors[0].message]
}

test.group('Unwelcome bodies', (group) => {
  group.each.setup(() => emptyDatabase())

  test('JSON that is nested too deeply is malformed, and tells nothing of the inside', async ({
    assert,
  }) => {
    const bodies = [
      '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
      '['.repeat(30_000) + ']'.repeat(30_000),
      `{"device":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ]
    for (const body of bodies) {
      assert.deepEqual(await codeOf(await send(body)), [
        400,
        'E_INVALID_REQUEST',
        'The request is malformed.',
      ])
    }
  })

  test('half of a character is no text', async ({ assert }) => {
    const bodies: [body: string, field: string][] = [
      ['{"email":"\\ud800","password":"x"}', 'email'],
      ['{"email":"a\\udfff@example.com","password":"x"}', 'email'],
      ['{"email":"a@example.com","password":"\\udfff\\ud800"}', 'password'],
      ['{"email":"a@example.com","password":"x","device":{"id":"\\ud83d"}}', 'device.id'],
    ]
    for (const [body, field] of bodies) {
      const answer = await send(body)
      const { errors }: any = await answer.json()
      assert.deepEqual([answer.status, errors[0].field], [422, field], body)
    }
  })

  test('a compressed body is refused, however large it would be', async ({ assert }) => {
    const bodies = [
      Buffer.alloc(50 * 1024 * 1024, ' '),
      Buffer.from('{"email":"a@example.com","password":"x"}'),
    ]
    for (const body of bodies) {
      const answer = await send(new Uint8Array(gzipSync(body)), { 'content-encoding': 'gzip' })
      const [status, code] = await codeOf(answer)
      assert.deepEqual([status, code], [415, 'E_UNSUPPORTED_MEDIA_TYPE'])
    }
    const nothing = await send('', { 'content-encoding': 'gzip' })
    assert.equal(nothing.status, 415)
    const plain = await send('{}', { 'content-encoding': 'identity' })
    assert.equal(plain.status, 422)
  })

  test('prototype keys and arrays set nothing', async ({ assert }) => {
    const bodies: [string, number][] = [
      ['{"__proto__":{"email":"a@example.com","password":"x"}}', 422],
      ['{"constructor":{"prototype":{"email":"a@example.com"}}}', 422],
      ['[{"email":"a@example.com","password":"x"}]', 422],
    ]
    for (const [body, status] of bodies) {
      const answer = await send(body)
      assert.equal(answer.status, status, body)
    }
    assert.isUndefined(({} as { email?: string }).email)
  })
})
