import { fileURLToPath } from 'node:url'

/**
 * The directory of the checkout. All scripts run in it.
 */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

process.chdir(ROOT)
