import { assert } from '@japa/assert'
import { ApiClient, apiClient } from '@japa/api-client'
import app from '@adonisjs/core/services/app'
import type { Config } from '@japa/runner/types'
import { pluginAdonisJS } from '@japa/plugin-adonisjs'
import testUtils from '@adonisjs/core/services/test_utils'
import { createHttpServer } from '#app/http/create_server'
import { checkAnswer } from './harness/openapi.js'
import { stopSharedServers } from './harness/server.js'

/**
 * Configure Japa plugins in the plugins array.
 */
export const plugins: Config['plugins'] = [
  assert(),
  pluginAdonisJS(app),
  apiClient({ baseURL: `http://${process.env.HOST}:${process.env.PORT}` }),
]

/**
 * Migrate the run's own database before all tests; tell `npm test`, which adds up several runs,
 * how many passed and failed.
 */
export const runnerHooks: Required<Pick<Config, 'setup' | 'teardown'>> = {
  setup: [() => testUtils.db().migrate()],
  teardown: [stopSharedServers, (runner) => tellCounts(runner.getSummary().aggregates)],
}

/**
 * Suites that speak HTTP get a server.
 */
export const configureSuite: Config['configureSuite'] = (suite) => {
  if (suite.name !== 'unit') {
    return suite.setup(() => testUtils.httpServer().start(createHttpServer))
  }
}

/**
 * Every answer that a test gets is held against the OpenAPI document.
 */
ApiClient.teardown((response) => {
  const { method, url } = response.request.request
  checkAnswer({
    method,
    path: new URL(url).pathname,
    status: response.status(),
    type: response.header('content-type') ?? '',
    body: response.body(),
  })
})

function tellCounts({ passed, failed }: { passed: number; failed: number }) {
  return new Promise<void>((resolve) => {
    if (!process.send) return resolve()
    process.send({ counts: { passed, failed } }, () => resolve())
  })
}
