import { createServer } from 'node:net'
import { createEnvFile } from '../ready/env_file.js'
import { withLock } from '../ready/lock.js'
import { ended, runQuietly, start } from '../ready/node.js'
import { readEnvironment, usesEmbeddedDatabase } from './environment.js'
import { tour } from './tour.js'

/**
 * A served application with demo users, on this machine alone unless `HOST` says otherwise.
 */
try {
  await withLock(createEnvFile)
  await readEnvironment()
  refuseElsewhere()
  process.env.HOST ||= '127.0.0.1'
  process.env.PORT = String(await usablePort(process.env.PORT?.trim() || '3333'))
  await withLock(prepareDatabase)
  process.exitCode = await serve()
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

function refuseElsewhere() {
  if (process.env.NODE_ENV === 'production') {
    throw new Error('The quickstart makes demo users, so it refuses NODE_ENV=production.')
  }
  process.env.DB_CONNECTION ||= 'sqlite'
  if (!usesEmbeddedDatabase()) {
    throw new Error('The quickstart is for the embedded database: unset DB_CONNECTION.')
  }
}

/**
 * Finds out before the work whether the port is free; `0` finds one that is. A value that is no
 * port is left to the application, which says what is allowed.
 */
function usablePort(port) {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) return port
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.on('error', ({ code }) => reject(new Error(portMessage(port, code))))
    server.listen(Number(port), process.env.HOST, () => {
      const found = server.address().port
      server.close(() => resolve(found))
    })
  })
}

function portMessage(port, code) {
  if (code !== 'EADDRINUSE') return `Port ${port} of ${process.env.HOST} can't be used (${code}).`
  return `Port ${port} is in use. Choose another one: PORT=${Number(port) + 1} npm run quickstart`
}

async function prepareDatabase() {
  console.error('Preparing the database and the demo users.')
  await runQuietly(['ace.js', 'migration:run', '--no-schema-generate'])
  await runQuietly(['ace.js', 'db:seed', '--files=./database/seeders/demo_users_seeder.ts'])
}

/**
 * Serves until a signal, which is how a quickstart ends well.
 */
async function serve() {
  let stopped = false
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (stopped = true))

  const server = start(['--import=@poppinss/ts-exec', 'bin/server.ts'])
  const exit = ended(server)
  if (await answers(server)) console.log(tour(address()))
  const code = await exit
  return stopped ? 0 : code
}

function address() {
  const { HOST, PORT } = process.env
  return `http://${['127.0.0.1', '0.0.0.0', '::', '::1'].includes(HOST) ? 'localhost' : HOST}:${PORT}`
}

async function answers(server) {
  while (server.exitCode === null && server.signalCode === null) {
    const answer = await fetch(`${address()}/health/live`).catch(() => undefined)
    if (answer?.ok) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}
