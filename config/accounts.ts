import { appUrl } from '#config/app'
import env from '#start/env'

/**
 * How users are known, what accounts ask of an e-mail, and the pages on which the links of mails are followed: those of the
 * team's own site, or else the page of this application.
 */
const accountsConfig = {
  /** Off: other systems decide who the user is, and no password signs anybody in. */
  passwordSignIn: env.get('PASSWORD_SIGN_IN') === 'on',
  verifiesEmail: env.get('EMAIL_VERIFICATION') === 'required',
  resetPage: env.get('RESET_URL') ?? `${appUrl}/reset-password`,
  emailPage: env.get('EMAIL_CONFIRM_URL') ?? `${appUrl}/confirm-email`,
}

export default accountsConfig
