import { args, flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { UsageFailure } from '#app/terminal/failures'
import { explainValidation } from '#app/terminal/filtered_command'
import { OperatorCommand } from '#app/terminal/operator_command'

/**
 * Ends an API key.
 */
export default class KeyRevoke extends OperatorCommand {
  static commandName = 'key:revoke'
  static description = 'End an API key, at once'
  static help = [
    'key:list tells the ids. Example:',
    '  {{ binaryName }} key:revoke 42 --reason="leaked"',
  ]

  @args.string({ description: 'Id of the API key' })
  declare id: string

  @flags.string({ description: 'Why, for the log' })
  declare reason: string

  protected async perform() {
    const { endKeysOfUser } = await import('#app/accounts/end_keys_of_user')
    const { findKey } = await import('#app/accounts/user_api_keys')
    const { referenceOf } = await import('#models/user')
    const { E_NOT_FOUND } = await import('#exceptions/errors')
    const { reasonValidator } = await import('#validators/force_logout')
    const { reason: note } = await reasonValidator
      .validate({ reason: this.reason })
      .catch(explainValidation)

    const key = /^[1-9]\d{0,14}$/.test(this.id) ? await findKey(Number(this.id)) : null
    const unknown = new UsageFailure(
      `There is no API key ${escapeText(this.id)}. Nothing was changed.`
    )
    if (!key) throw unknown
    const actor = `command:${this.commandName}` as const
    await endKeysOfUser(key.owner.id, { keyId: key.id, actor, note }).catch((error) => {
      throw error instanceof E_NOT_FOUND ? unknown : error
    })
    this.printJson({ id: key.id, name: key.name, user: key.owner })
    this.say(
      `The API key ${escapeText(key.name ?? String(key.id))} of ${escapeText(referenceOf(key.owner))} has ended.`
    )
  }
}
