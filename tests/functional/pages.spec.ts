import { test } from '@japa/runner'

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
