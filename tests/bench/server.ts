/*
|--------------------------------------------------------------------------
| The server of the benchmark
|--------------------------------------------------------------------------
|
| The application as it runs in production, with one more preload: the routes
| that the benchmark compares. It migrates and fills its own empty database,
| and tells the parent process what it holds once it listens.
|
*/

import 'reflect-metadata'
import { Ignitor, prettyPrintError } from '@adonisjs/core'
import type { Holdings } from './seed.js'

const APP_ROOT = new URL('../../', import.meta.url)

const IMPORTER = (filePath: string) => {
  if (filePath.startsWith('./') || filePath.startsWith('../')) {
    return import(new URL(filePath, APP_ROOT).href)
  }
  return import(filePath)
}

let holdings: Holdings
let server: typeof import('#app/http/create_server')

new Ignitor(APP_ROOT, { importer: IMPORTER })
  .tap((app) => {
    app.booting(async () => {
      await import('#start/env')
    })
    app.starting(async () => {
      server = await import('#app/http/create_server')
      const { fillDatabase } = await import('./seed.js')
      holdings = await fillDatabase(app, Number(process.env.BENCH_LIVE_TOKENS))
      await import('./routes.js')
    })
    app.ready(() => {
      process.send!({ holdings })
    })
    app.listen('SIGTERM', () => app.terminate())
  })
  .httpServer()
  .start((listener) => server.createHttpServer(listener))
  .catch((error) => {
    process.exitCode = 1
    prettyPrintError(error)
  })
