import type { EndReason } from '#exceptions/end_reasons'

/**
 * The device that took over, as far as it said who it is.
 */
export type TakenOverBy = { name: string | null; platform: string | null }

/**
 * What a person reads on the device that was signed out. One file, so that it can be translated.
 */
export const sessionEndedMessages: Record<EndReason, (by?: TakenOverBy | null) => string> = {
  logged_out: () => 'You signed out on this device.',
  logged_out_elsewhere: () => 'You were signed out from another of your devices.',
  superseded: (by) =>
    `You were signed out because your account was used to sign in on ${by?.name ?? 'another device'}.`,
  replaced: (by) =>
    `You were signed out because of a newer sign-in under the id of this device, on ${by?.name ?? 'a device without a name'}.`,
  forced: () => 'You were signed out by an administrator.',
  password_changed: () =>
    'You were signed out because your password was changed. Please sign in with the new one.',
  password_reset: () =>
    'You were signed out because your password was reset. Please sign in with the new one.',
  account_disabled: () => 'You were signed out because your account was disabled.',
  account_deleted: () => 'You were signed out because your account was deleted.',
  token_reuse: () =>
    'You were signed out to protect your account: a sign-in token was used twice. Please sign in again.',
  device_mismatch: () =>
    'You were signed out to protect your account: your sign-in was used on a different device.',
  expired: () => 'Your sign-in has reached its longest lifetime. Please sign in again.',
  idle: () => 'You were signed out because you were away for a long time. Please sign in again.',
}

/**
 * What the other errors say. They speak to the developer of a client, and say what to do next.
 */
export const errorMessages = {
  E_INVALID_CREDENTIALS: 'Wrong e-mail or password.',
  E_INVALID_REQUEST: 'The request is malformed.',
  E_UNAUTHORIZED_ACCESS: 'A valid token is required.',
  E_TOKEN_EXPIRED: 'The access token has expired. Use the refresh token to get a new one.',
  E_REAUTHENTICATION_REQUIRED:
    'This wants a fresh sign-in. Ask for the password and send it to POST /api/v1/auth/confirm.',
  E_INVALID_REFRESH_TOKEN: 'The refresh token is not valid. Please sign in again.',
  E_REFRESH_TOKEN_REUSED:
    'The refresh token was used before, so its session was ended. Please sign in again.',
  E_INVALID_DPOP_PROOF: 'A valid proof of possession (DPoP) is required.',
  E_FORBIDDEN: 'This is not allowed with the given token.',
  E_SIGNUP_CLOSED: 'Sign-up is closed. Ask an administrator for an account.',
  E_ACCOUNT_DISABLED: 'This account is disabled. Ask an administrator to enable it.',
  E_EMAIL_NOT_VERIFIED:
    'The e-mail of this account is not confirmed yet. Open the link of the mail, or have it sent again with POST /api/v1/auth/email/verify.',
  E_SESSION_LIMIT_REACHED:
    'This account is signed in on as many devices as it may be. Sign out one of them (endSessions) or all (logoutOthers) and try again.',
  E_CURSOR_GONE:
    'The log does not hold what this cursor has passed: it was pruned, or the database was restored. Begin with after=now, empty your cache, and go on.',
  E_NOT_FOUND: 'There is nothing here.',
  E_REQUEST_ENTITY_TOO_LARGE: 'The request body is too large.',
  E_UNSUPPORTED_MEDIA_TYPE: 'Send the body as application/json.',
  E_VALIDATION_ERROR: 'The request body is not valid.',
  E_TOO_MANY_REQUESTS: 'Too many requests. Wait for as long as Retry-After says.',
  E_UNAVAILABLE: 'The service is not available for a moment. Try again.',
  E_INTERNAL: 'Something went wrong here. Nothing was changed, or trying again is harmless.',
} as const
