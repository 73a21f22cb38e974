import { flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UnknownUser, UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'
import type User from '#models/user'

/**
 * Commands that choose sessions by filters, which all must match.
 */
export abstract class FilteredCommand extends OperatorCommand {
  @flags.string({ description: 'Only the session with this id' })
  declare session: string

  @flags.string({ description: 'Only sessions on the device of this id or name' })
  declare device: string

  @flags.string({ description: 'Only sessions on this platform' })
  declare platform: string

  @flags.string({ description: 'Only sessions not seen for this long, as in 30m, 12h, 30d' })
  declare idleFor: string

  @flags.string({ description: 'Only sessions signed in before this date or time (UTC)' })
  declare before: string

  /**
   * The filters in force. Throws `UsageFailure` where one is malformed.
   */
  protected async readFilters() {
    const { filtersValidator } = await import('#validators/force_logout')
    const { session, device, platform, idleFor, before } = this
    return filtersValidator
      .validate({ session, device, platform, idleFor, before })
      .catch(explainValidation)
  }

  /**
   * The users whom references name, each once. Throws `UnknownUser` for the first without one.
   */
  protected async readUsers(given: string[]): Promise<User[]> {
    const { findUser } = await import('#app/accounts/find_users')
    const found = new Map<number, User>()
    for (const handle of given) {
      const user = await findUser(handle)
      if (!user) throw new UnknownUser(handle)
      found.set(user.id, user)
    }
    return [...found.values()]
  }
}

/**
 * What a validator refuses is wrong usage; the rest is thrown on.
 */
export function explainValidation(error: {
  messages?: { field: string; message: string }[]
}): never {
  if (!error.messages) throw error
  const sentences = error.messages.map(({ field, message }) => {
    const flag = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return message.replace(`The ${field} field`, `--${flag}`)
  })
  throw new UsageFailure(escapeText(sentences.join('. ')))
}
