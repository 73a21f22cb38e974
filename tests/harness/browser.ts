import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

/**
 * Debian's Chromium, or the one that `CHROMIUM` names.
 */
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/**
 * Why pages are not opened in this run; false when they are.
 */
export const noBrowser = whyNot()

function whyNot(): string | false {
  if (process.env.DB_CONNECTION === 'postgres') return 'the page is the same on either database'
  if (existsSync(executablePath)) return false
  return 'needs Chromium (apt-get install chromium, or CHROMIUM=/path/to/it)'
}

/**
 * A browser without a window, that asks nothing of the network by itself.
 */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
