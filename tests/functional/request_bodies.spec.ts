import { test } from '@japa/runner'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

const url = () => `http://${process.env.HOST}:${process.env.PORT}/api/v1/auth/login`

function send(body: string | undefined, type: string | null, accept = 'text/html') {
  const headers: Record<string, string> = { accept }
  if (type !== null) headers['content-type'] = type
  const payload = body === undefined ? undefined : new Blob([body])
  return fetch(url(), { method: 'POST', headers, body: payload })
}

test.group('Request bodies', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a body of type {$self} is refused')
    .with([
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
      'application/xml',
      'application/vnd.api+json',
      'application/jsonp',
      'json',
      '',
    ])
    .run(async ({ assert }, type) => {
      const answer = await send('{"email":"a@example.com","password":"x"}', type)
      assert.equal(answer.status, 415)
      const body: any = await answer.json()
      assert.equal(body.errors[0].code, 'E_UNSUPPORTED_MEDIA_TYPE')
    })

  test('a multipart body with a part named toString leaves the server alive', async ({
    assert,
  }) => {
    const part =
      '--x\r\nContent-Disposition: form-data; name="toString"; filename="a"\r\n\r\nb\r\n--x--\r\n'
    const answer = await send(part, 'multipart/form-data; boundary=x')
    assert.equal(answer.status, 415)
    const next = await send('{}', 'application/json')
    assert.equal(next.status, 422)
  })

  test('malformed JSON is E_INVALID_REQUEST, whatever Accept says', async ({ assert }) => {
    for (const body of ['{', '{"a":}', 'nonsense', '"text"', '12', '{"email":"\u0000"}']) {
      const answer = await send(body, 'application/json; charset=utf-8')
      assert.equal(answer.status, 400, body)
      assert.match(answer.headers.get('content-type')!, /^application\/json/)
      const { errors }: any = await answer.json()
      assert.equal(errors[0].code, 'E_INVALID_REQUEST')
    }
  })

  test('a body that is too large is refused before it is read', async ({ assert }) => {
    const answer = await send(JSON.stringify({ email: 'a'.repeat(70_000) }), 'application/json')
    assert.equal(answer.status, 413)
    const { errors }: any = await answer.json()
    assert.equal(errors[0].code, 'E_REQUEST_ENTITY_TOO_LARGE')
  })

  test('missing and wrong fields are named', async ({ assert }) => {
    const answer = await send('{"email":"nobody","device":{"name":7}}', 'application/json')
    assert.equal(answer.status, 422)
    const { errors }: any = await answer.json()
    assert.includeMembers(
      errors.map((error: any) => error.field),
      ['email', 'password', 'device.name']
    )
    for (const error of errors) {
      assert.equal(error.code, 'E_VALIDATION_ERROR')
      assert.isString(error.rule)
    }
  })

  test('the query string can not stand in for the body', async ({ assert }) => {
    const user = await makeUser()
    const query = new URLSearchParams({ email: user.email, password: PASSWORD })
    const answer = await fetch(`${url()}?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"email":"nobody@example.com","password":"wrong"}',
    })
    assert.equal(answer.status, 400)
    const { errors }: any = await answer.json()
    assert.equal(errors[0].code, 'E_INVALID_CREDENTIALS')
  })

  test('a password is compared as it was sent, with its spaces', async ({ assert }) => {
    const user = await makeUser()
    const credentials = { email: ` ${user.email.toUpperCase()} `, password: PASSWORD }
    const right = await send(JSON.stringify(credentials), 'application/json')
    assert.equal(right.status, 200)
    const padded = { ...credentials, password: ` ${PASSWORD} ` }
    const wrong = await send(JSON.stringify(padded), 'application/json')
    assert.equal(wrong.status, 400)
  })

  test('an unknown route is a 404 of the same shape', async ({ assert }) => {
    const answer = await fetch(`http://${process.env.HOST}:${process.env.PORT}/nowhere`)
    assert.equal(answer.status, 404)
    const { errors }: any = await answer.json()
    assert.equal(errors[0].code, 'E_NOT_FOUND')
    assert.isString(answer.headers.get('x-request-id'))
  })
})
