import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { programOf } from './compiled.js'
import { freePort } from './ports.js'

/**
 * Starts the stock AdonisJS application of tests/apps in a process of its own, as a deployment does,
 * and waits until it answers.
 */
export async function startStockAdonis(env: Record<string, string>) {
  const port = await freePort()
  const { cwd, args } = programOf('tests/apps/stock_adonis/server')
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production', ...env, HOST: '127.0.0.1', PORT: String(port) },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + 60_000
  while (
    !(await fetch(url).then(
      () => true,
      () => false
    ))
  ) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`The application did not start:\n${output}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}
