import { run } from '../ready/node.js'

/**
 * The linter, and the check that no import closes a cycle. Both run, so that one look shows what
 * there is to fix.
 */
const fix = process.argv.slice(2)
const styled = await run(['node_modules/eslint/bin/eslint.js', '.', ...fix])
const layered = await run([
  'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
  'app',
  '--config',
  '.dependency-cruiser.js',
])
process.exitCode = styled || layered
