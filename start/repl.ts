import repl from '@adonisjs/core/services/repl'
import { replMethods, type UserHandle } from '#app/terminal/repl_methods'

const methods = replMethods()

repl
  .addMethod('userBy', (_, reference: string | number) => methods.userBy(reference), {
    description: 'Find a user by e-mail, id or external:ID',
    usage: `await userBy${repl.colors.gray('(reference)')}`,
  })
  .addMethod('sessions', (_, user: UserHandle) => methods.sessions(user), {
    description: 'List the live sessions of a user',
    usage: `await sessions${repl.colors.gray('(user)')}`,
  })
  .addMethod(
    'forceLogout',
    (_, user: UserHandle, options?: Record<string, unknown>) => methods.forceLogout(user, options),
    {
      description: 'Sign a user out; options: the filters of force:logout, reason, dryRun',
      usage: `await forceLogout${repl.colors.gray('(user, { platform, idleFor, reason, … })')}`,
    }
  )
  .addMethod('endSession', (_, id: string, reason?: string) => methods.endSession(id, reason), {
    description: 'End one session',
    usage: `await endSession${repl.colors.gray('(id, reason?)')}`,
  })
  .addMethod('whoIs', (_, token: string) => methods.whoIs(token), {
    description: 'What a token is worth now; leaves no trace of a use',
    usage: `await whoIs${repl.colors.gray('(token)')}`,
  })
