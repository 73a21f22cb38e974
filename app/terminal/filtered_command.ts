import { flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UnknownUser, UsageFailure } from '#app/terminal/failures'
import { OperatorCommand } from '#app/terminal/operator_command'
import type User from '#models/user'

/**
 * Commands that choose sessions by filters, which all must match.
 */
export abstract class FilteredCommand extends OperatorCommand {
  @flags.string({ description: 'Only the session with this id, or the first 8 or more characters' })
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
    const { device, platform, idleFor, before } = this
    const session = await this.#readSession()
    return filtersValidator
      .validate({ session, device, platform, idleFor, before })
      .catch(explainValidation)
  }

  /**
   * The first 8 or more characters of an id name the session where no other begins with them.
   */
  async #readSession(): Promise<string | undefined> {
    const { isPartOfId, sessionsThatBegin } = await import('#app/sessions/short_id')
    const given = this.session?.trim().toLowerCase()
    if (given === undefined || !isPartOfId(given)) return this.session
    const [found, another] = await sessionsThatBegin(given)
    if (another) {
      throw new UsageFailure(`More than one session begins with ${given}: give more of its id.`)
    }
    if (!found) throw new UsageFailure(`There is no session whose id begins with ${given}.`)
    return found
  }

  /**
   * The users whom references name, each once. Throws `UnknownUser` for the first without one.
   */
  protected async readUsers(given: string[], { reading = false } = {}): Promise<User[]> {
    const { findUser } = await import('#app/accounts/find_users')
    const found = new Map<number, User>()
    for (const handle of given) {
      const user = await findUser(handle)
      if (!user) throw new UnknownUser(handle, { reading })
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
