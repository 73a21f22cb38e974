import { createHmac } from 'node:crypto'
import { appKey } from '#config/app'
import type { LimitedWork } from '#config/rate_limits'

/**
 * How many times as much a bucket holds that many people share (a network, or an account as seen
 * from everywhere) as that of one account from one network.
 */
export const SHARED = 10

/**
 * One count that an attempt is held against. `overruled` says, once the bucket is full, whether
 * this attempt may pass all the same. With `countsSuccess` work that went well keeps its unit.
 */
export type Bucket = {
  key: string
  times: number
  overruled?: () => Promise<boolean>
  countsSuccess?: boolean
}

/**
 * A bucket of some work, under a key that tells neither account, token nor address: a hash keyed
 * with `APP_KEY`, the same on every node.
 */
export function bucket(
  work: LimitedWork | 'forgot',
  scope: 'account_here' | 'account' | 'network',
  parts: string[],
  { times = 1, overruled, countsSuccess }: Partial<Omit<Bucket, 'key'>> = {}
): Bucket {
  const hash = createHmac('sha256', appKey.release())
    .update(JSON.stringify(['rate limit', work, scope, ...parts]))
    .digest('base64url')
  return { key: `${work}:${scope}:${hash}`, times, overruled, countsSuccess }
}
