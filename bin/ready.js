import { createEnvFile } from './ready/env_file.js'
import { installMissing } from './ready/install.js'
import { withLock } from './ready/lock.js'
import { prepareNode, run } from './ready/node.js'

/**
 * Every npm script starts here: `node bin/ready.js NAME [arguments]`. Any Node.js from 20 on can
 * run this file; it installs what is missing and hands over to the bundled Node.js 24. Exit codes
 * and signals pass through.
 */
const scripts = {
  quickstart: ['bin/scripts/quickstart.js'],
  dev: ['ace.js', 'serve', '--hmr'],
  build: ['ace.js', 'build'],
  start: ['bin/scripts/start.js'],
  test: ['bin/scripts/test.js'],
  chaos: ['bin/scripts/chaos.js'],
  bench: ['--import=@poppinss/ts-exec', 'tests/bench/run.ts'],
  lint: ['bin/scripts/lint.js'],
  typecheck: ['node_modules/typescript/bin/tsc', '--noEmit'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--write', '.'],
}

const [name, ...rest] = process.argv.slice(2)

if (!Object.hasOwn(scripts, name)) {
  console.error(`Usage: node bin/ready.js ${Object.keys(scripts).join('|')}`)
  process.exit(2)
}

endWithNpm()

try {
  await withLock(installMissing)
  prepareNode()
  if (name === 'dev') await withLock(createEnvFile)
  process.exitCode = await run([...scripts[name], ...rest])
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

/**
 * npm hands a signal to the shell between it and this process, and many shells end without passing
 * it on. A parent that is gone is the signal then.
 */
function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return
  const shell = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  watch.unref()
}
