import { test } from '@japa/runner'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { startServer } from '#tests/harness/server'
import { exchange } from '#tests/hostile/raw_client'

const ORIGIN = 'https://app.example.com'

/**
 * What the router, or a proxy in front, takes for the same path. One that the router does not know is
 * a 404, which no proxy takes for a yes.
 */
const spellings = (path: string) => [
  path,
  `${path}/`,
  `/${path}`,
  `//${path}//`,
  path.replace('f', '%66').replace('o', '%6f'),
  `${path}?a=b`,
]

test.group('Spellings of a path', (group) => {
  group.each.setup(() => emptyDatabase())

  test('forward auth answers no preflight and looks at no body, however it is spelt', async ({
    assert,
    cleanup,
  }) => {
    const server = await startServer({ env: { CORS_ORIGINS: ORIGIN } })
    cleanup(() => server.stop())
    const port = Number(new URL(server.url).port)
    const { tokens } = await signIn(await makeUser())
    const send = async (method: string, path: string, lines: string[], body = '') => {
      const head = [`${method} ${path} HTTP/1.1`, 'Host: a', 'Connection: close', ...lines]
      const { answers } = await exchange(port, Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`))
      return answers[0]
    }
    for (const path of spellings('/forward-auth')) {
      const preflight = await send('OPTIONS', path, [
        `Origin: ${ORIGIN}`,
        'Access-Control-Request-Method: GET',
      ])
      assert.include([401, 404], preflight.status, path)
      assert.isFalse(preflight.headers.has('access-control-allow-origin'), path)
      const bearer = `Authorization: Bearer ${tokens.token}`
      const body = ['Content-Type: text/plain', 'Content-Encoding: gzip', 'Content-Length: 1']
      const upload = await send('POST', path, [bearer, ...body], 'x')
      assert.include([200, 404], upload.status, path)
    }
    for (const path of spellings('/oauth/introspect')) {
      const form = ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 7']
      const answer = await send('POST', path, form, 'token=a')
      assert.include([401, 404], answer.status, path)
      assert.isString(JSON.parse(answer.body).error, path)
    }
  })
})
