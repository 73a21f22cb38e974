import env from '#start/env'
import app from '@adonisjs/core/services/app'
import { defineConfig, transports } from '@adonisjs/mail'
import { FileTransport, NoTransport } from '#mails/file_transport'

const host = env.get('SMTP_HOST')
const username = env.get('SMTP_USERNAME')
const port = env.get('SMTP_PORT')

/**
 * Without `SMTP_HOST` mail lands in files under tmp/mails, which the log names; in production none is
 * sent, and the start says so.
 */
export const sendsMail = host !== '' || !app.inProduction
const withoutServer = sendsMail ? ('file' as const) : ('none' as const)

/**
 * Milliseconds until a mail server that does not answer is given up.
 */
const PATIENCE = 10_000

const mailConfig = defineConfig({
  default: host === '' ? withoutServer : 'smtp',
  from: env.get('SMTP_FROM'),

  mailers: {
    smtp: transports.smtp({
      host,
      port,
      /** Port 465 speaks TLS from the start; a password never travels without TLS. */
      secure: port === 465,
      requireTLS: username !== '' && port !== 465,
      ...(username !== '' && {
        auth: { type: 'login', user: username, pass: env.get('SMTP_PASSWORD')?.release() ?? '' },
      }),
      connectionTimeout: PATIENCE,
      greetingTimeout: PATIENCE,
      socketTimeout: PATIENCE,
    }),
    file: () => new FileTransport(app.tmpPath('mails')),
    none: () => new NoTransport(),
  },
})

export default mailConfig

declare module '@adonisjs/mail/types' {
  export interface MailersList extends InferMailers<typeof mailConfig> {}
}
