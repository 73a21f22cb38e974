/**
 * Why a session ended. The words are part of the API.
 */
export const END_REASONS = [
  'logged_out',
  'logged_out_elsewhere',
  'superseded',
  'replaced',
  'forced',
  'password_changed',
  'password_reset',
  'account_disabled',
  'account_deleted',
  'token_reuse',
  'device_mismatch',
  'expired',
  'idle',
] as const

export type EndReason = (typeof END_REASONS)[number]
