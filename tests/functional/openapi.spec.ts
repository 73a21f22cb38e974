import { test } from '@japa/runner'
import router from '@adonisjs/core/services/router'
import { Validator } from '@seriousme/openapi-schema-validator'
import { openApiDocument } from '#app/openapi/document'
import { checkAnswer } from '#tests/harness/openapi'

/**
 * What is served to browsers is no part of the API.
 */
const PAGES = ['/', '/reset-password', '/confirm-email', '/console/:file', '/docs', '/docs/:file']

/**
 * Other methods than POST at `/oauth/*`: answered with 405.
 */
const REFUSED = '/oauth/:endpoint'

/**
 * The routes that are served, as the document writes them.
 */
function servedRoutes(): string[] {
  const served = Object.values(router.toJSON())
    .flat()
    .filter((route) => !PAGES.includes(route.pattern) && route.pattern !== REFUSED)
  return served.flatMap((route) =>
    route.methods
      .filter((method) => method !== 'HEAD')
      .map((method) => `${method} ${route.pattern.replace(/:(\w+)/g, '{$1}')}`)
  )
}

test.group('OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async ({ client, assert }) => {
    const answer = await client.get('/openapi.json')
    answer.assertStatus(200)
    const result = await new Validator().validate(answer.body())
    assert.deepEqual(result.errors ?? [], [])
    assert.isTrue(result.valid)
  })

  test('names the routes that are served, and no others', ({ assert }) => {
    const named = Object.entries(openApiDocument.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    )
    assert.sameMembers(named, servedRoutes())
  })

  test('an answer with a field that it does not name fails its test', ({ assert }) => {
    const answer = { method: 'GET', path: '/health/live', status: 200, type: 'application/json' }
    checkAnswer({ ...answer, body: { data: { status: 'ok' } } })
    assert.throws(
      () => checkAnswer({ ...answer, body: { data: { status: 'ok', version: '1' } } }),
      /additional properties/
    )
    assert.throws(() => checkAnswer({ ...answer, status: 418, body: {} }), /not in the OpenAPI/)
  })
})
