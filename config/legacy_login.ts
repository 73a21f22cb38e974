import env from '#start/env'

/**
 * The login of the old system, which is asked for users whose password is not here yet
 * (docs/moving_over.md).
 */
export type LegacyLoginConfig = {
  url?: string
  /** What requests are signed with, as Standard Webhooks spells it: `whsec_` and base64. */
  secret?: string
  /** From this moment on it is not asked. */
  until?: Date
}

const legacyLoginConfig: LegacyLoginConfig = {
  url: env.get('LEGACY_LOGIN_URL'),
  secret: env.get('LEGACY_LOGIN_SECRET')?.release(),
  until: env.get('LEGACY_LOGIN_UNTIL'),
}

export default legacyLoginConfig
