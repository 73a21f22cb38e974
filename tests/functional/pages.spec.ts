import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import { startServer } from '#tests/harness/server'

type Raw = { status: number; headers: Record<string, any>; body: Buffer }

/**
 * An answer as it comes over the wire, compressed where it is.
 */
function get(path: string, headers: Record<string, string> = {}): Promise<Raw> {
  const { promise, resolve, reject } = Promise.withResolvers<Raw>()
  const { HOST: host, PORT: port } = process.env
  request({ host, port, path, headers }, async (answer) => {
    const body = Buffer.concat(await answer.toArray())
    resolve({ status: answer.statusCode!, headers: answer.headers, body })
  })
    .on('error', reject)
    .end()
  return promise
}

const STATIC = ['/', '/console/main.js', '/docs', '/docs/swagger-ui-bundle.js', '/openapi.json']

test.group('Pages', () => {
  test('the console is served with a policy that lets nothing in from elsewhere', async ({
    client,
    assert,
  }) => {
    const page = await client.get('/')
    page.assertStatus(200)
    assert.match(page.header('content-type')!, /^text\/html/)
    const policy = page.header('content-security-policy')!
    assert.include(policy, "default-src 'none'")
    assert.notInclude(policy, 'unsafe')
    assert.notMatch(page.text(), /(src|href)="https?:|<script(?![^>]*src=)|style="|onclick=/)
  })

  test('every file that a page names is there, with its type', async ({ client, assert }) => {
    for (const url of ['/', '/docs']) {
      const page = await client.get(url)
      page.assertStatus(200)
      const files = [...page.text().matchAll(/(?:src|href)="(\/[^"#]+)"/g)].map(([, file]) => file)
      assert.isAbove(files.length, 2)
      for (const file of files) {
        const asset = await client.get(file)
        asset.assertStatus(200)
        assert.notMatch(asset.header('content-type')!, /json|html/, file)
      }
    }
  })

  test('no other file is served: {$self}')
    .with([
      '/console/none.js',
      '/console/..%2f..%2fpackage.json',
      '/console/%2e%2e%2f%2e%2e%2f.env',
      '/console/main.js%00.css',
      '/docs/package.json',
      '/docs/..%2fpackage.json',
      '/docs/toString',
      '/docs/constructor',
    ])
    .run(async ({ assert }, path) => {
      const answer = await fetch(`http://${process.env.HOST}:${process.env.PORT}${path}`)
      assert.include([400, 404], answer.status)
      const body: any = await answer.json()
      assert.include(['E_NOT_FOUND', 'E_INVALID_REQUEST'], body.errors[0].code)
    })
})

test.group('What is the same for everybody', () => {
  test('{$self} is compressed for who takes it, and known by its tag')
    .with(STATIC)
    .run(async ({ assert }, path) => {
      const plain = await get(path)
      assert.equal(plain.status, 200)
      assert.isUndefined(plain.headers['content-encoding'])
      assert.match(plain.headers.vary, /accept-encoding/i)
      assert.match(plain.headers['cache-control'], /^(no-cache|public, max-age=\d+)$/)

      const packed = await get(path, { 'accept-encoding': 'br;q=0, gzip' })
      assert.equal(packed.headers['content-encoding'], 'gzip')
      assert.equal(packed.headers['content-type'], plain.headers['content-type'])
      assert.isBelow(packed.body.length, plain.body.length / 1.5)
      assert.isTrue(gunzipSync(packed.body).equals(plain.body))
      const refused = await get(path, { 'accept-encoding': 'gzip;q=0' })
      assert.isTrue(refused.body.equals(plain.body))

      const { etag } = plain.headers
      assert.equal(packed.headers.etag, etag)
      for (const known of [etag, `"other", ${etag}`, '*']) {
        const same = await get(path, { 'if-none-match': known, 'accept-encoding': 'gzip' })
        assert.deepEqual([same.status, same.body.length], [304, 0])
        assert.equal(same.headers.etag, etag)
        assert.match(same.headers.vary, /accept-encoding/i)
      }
      const other = await get(path, { 'if-none-match': '"other"' })
      assert.equal(other.status, 200)
    })

  test('DOCS=off and WEB_CONSOLE=off: there are no such routes', async ({ assert, cleanup }) => {
    const server = await startServer({ env: { DOCS: 'off', WEB_CONSOLE: 'off' } })
    cleanup(() => server.stop())
    const answer = async (path: string) => {
      const response = await fetch(server.url + path)
      return { status: response.status, body: (await response.json()) as any }
    }
    const unknown = await answer('/nowhere')
    assert.equal(unknown.status, 404)
    for (const path of ['/', '/reset-password', '/console/main.js', '/docs', '/docs/start.js']) {
      assert.deepEqual(await answer(path), unknown, path)
    }
    const { status, body } = await answer('/openapi.json')
    assert.deepEqual([status, body.openapi], [200, '3.1.0'])
    const metadata = await answer('/.well-known/oauth-authorization-server')
    assert.equal(metadata.status, 200)
    assert.notProperty(metadata.body, 'service_documentation')
  }).timeout(60_000)
})
