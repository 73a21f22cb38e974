/**
 * How long something may take, in milliseconds. The figure holds on a machine that does nothing
 * else (`LONG=1`); `npm test` runs several suites at once beside an installation, so there it is
 * five times as much, and what is tested is that it comes at all.
 */
export function within(milliseconds: number): number {
  return process.env.LONG ? milliseconds : milliseconds * 5
}

/**
 * Whether this run takes its time: `CI=true npm test`, and `LONG=1`. Otherwise each race is shown
 * with as much of it as a minute allows.
 */
export const THOROUGH =
  process.env.LONG === '1' || ![undefined, '', '0', 'false'].includes(process.env.CI)
