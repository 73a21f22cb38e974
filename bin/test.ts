/*
|--------------------------------------------------------------------------
| Test runner entrypoint
|--------------------------------------------------------------------------
|
| The "test.ts" file is the entrypoint for running tests using Japa.
|
| Either you can run this file directly or use the "test"
| command to run this file and monitor file changes.
|
*/

import 'reflect-metadata'
import { Ignitor, prettyPrintError } from '@adonisjs/core'
import { configure, processCLIArgs, run } from '@japa/runner'
import { prepareEnvironment } from '../tests/harness/environment.js'

/**
 * A database and a port of this run's own, before the application reads its environment
 */
const cleanUp = await prepareEnvironment()

/**
 * Japa skips the teardown when a spec file can't be loaded, and what is still open would keep the
 * process alive: it is closed here as well. Doing so twice does no harm.
 */
let endRun = cleanUp

/**
 * URL to the application root. AdonisJS need it to resolve
 * paths to file and directories for scaffolding commands
 */
const APP_ROOT = new URL('../', import.meta.url)

/**
 * The importer is used to import files in context of the
 * application.
 */
const IMPORTER = (filePath: string) => {
  if (filePath.startsWith('./') || filePath.startsWith('../')) {
    return import(new URL(filePath, APP_ROOT).href)
  }
  return import(filePath)
}

new Ignitor(APP_ROOT, { importer: IMPORTER })
  .tap((app) => {
    app.booting(async () => {
      await import('#start/env')
    })
    app.listen('SIGTERM', () => endRun().then(() => process.exit(143)))
    app.listen('SIGINT', () => endRun().then(() => process.exit(130)))
  })
  .testRunner()
  .configure(async (app) => {
    endRun = async () => {
      await app.terminate()
      await cleanUp()
    }
    const { runnerHooks, ...config } = await import('../tests/bootstrap.js')

    processCLIArgs(process.argv.splice(2))
    configure({
      ...app.rcFile.tests,
      ...config,
      ...{
        setup: runnerHooks.setup,
        teardown: runnerHooks.teardown.concat([endRun]),
      },
    })
  })
  .run(async () => {
    await run()
    if (process.exitCode) await endRun()
  })
  .catch(async (error) => {
    process.exitCode = 1
    await prettyPrintError(error)
    await endRun()
  })
