import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The application needs Node.js 24. When the terminal's own is older, the same command line runs
 * again on the one that the dev dependency "node" brings, and its exit code is passed on. A build has
 * none: there the start ends with one line, before a package that was compiled for a newer Node.js
 * ends it with a segmentation fault.
 */
const NEEDED = 24
const bundled = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))

if (Number(process.versions.node.split('.', 1)[0]) < NEEDED) {
  if (!existsSync(bundled)) {
    const isCheckout = existsSync(new URL('ready.js', import.meta.url))
    console.error(
      `Node.js ${NEEDED} or newer is needed, and ${process.execPath} is ${process.version}.` +
        (isCheckout
          ? ' Run "npm install" in this checkout to get one, or use a newer Node.js.'
          : '')
    )
    process.exit(1)
  }

  /**
   * A signal from the terminal reaches both processes: this one waits for the other to finish.
   */
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  const child = spawnSync(bundled, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  })
  process.exit(child.status ?? 1)
}
