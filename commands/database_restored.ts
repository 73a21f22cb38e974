import { flags } from '@adonisjs/core/ace'
import { CommandFailure, EXIT, UsageFailure } from '#app/terminal/failures'
import { onInterrupt } from '#app/terminal/interrupt'
import { OperatorCommand } from '#app/terminal/operator_command'
import { amount, ProgressBar } from '#app/terminal/progress_bar'

/**
 * What is to be done once a backup was put back, before anyone is let in.
 */
export default class DatabaseRestored extends OperatorCommand {
  static commandName = 'database:restored'
  static description = 'After a restore: end what the backup brought back to life'
  static help = [
    'Run it once the backup is in its place and its migrations are run, before the servers serve.',
    'The backup knows nothing of what happened since it was made: sessions that ended are alive in it.',
    'So every session ends, at once, credentials of old systems and links in mails that were issued until',
    'now are worth nothing, and services that follow /revocations are told (410) to empty their caches.',
    '',
    '--keep-sessions is for a backup that lost nothing, as when you move to another server: services are',
    'told to empty their caches, and sessions and old credentials stay as they are.',
    '',
    'Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage, nothing changed.',
    '  {{ binaryName }} database:restored',
    '  {{ binaryName }} database:restored --yes --json',
  ]

  @flags.boolean({ description: 'End no session: the backup lost nothing' })
  declare keepSessions: boolean

  @flags.boolean({ description: 'Do not ask before everyone is signed out' })
  declare yes: boolean

  protected async perform() {
    await this.#confirm()
    const { settleRestore } = await import('#app/force_logout/after_restore')
    const { signal, release } = onInterrupt()
    let bar: ProgressBar | undefined
    const result = await settleRestore(
      { keepSessions: this.keepSessions ?? false, actor: `command:${this.commandName}` },
      {
        signal,
        onCut: ({ at }) => this.say(`Cut at ${at.toISOString()}: no earlier token is accepted.`),
        onStart: (total) => (bar = new ProgressBar(total, 'ended')),
        onProgress: (ended) => bar?.advance(ended),
      }
    ).finally(release)
    bar?.clear()

    this.say('Services that follow the log are told to empty their caches.')
    if (!result) {
      this.say('No session was ended.')
      return this.printJson({ keptSessions: true, ended: 0, complete: true })
    }
    const { ended, apiKeysLeft, cut, complete } = result
    if (complete) this.say(`Ended ${amount(ended, 'session')}.`)
    else {
      this.exitCode = EXIT.failed
      this.logger.logError(
        'Interrupted: everyone is signed out; a running server, or the same command again, writes the rest.'
      )
    }
    const { keysLiveOn } = await import('#app/api_keys/api_key')
    const keys = keysLiveOn(apiKeysLeft, 'run node ace force:logout --all --include-api-keys')
    if (keys) this.say(`${keys} Those that were ended since the backup are among them.`)
    this.printJson({ keptSessions: false, ended, apiKeysLeft, cutAt: cut, complete })
  }

  async #confirm() {
    if (this.keepSessions || this.yes) return
    if (!this.canAsk) {
      throw new UsageFailure(
        'Signing everyone out needs --yes where no one can be asked. Nothing was changed.'
      )
    }
    const agreed = await this.prompt.confirm('Sign everyone out?', { name: 'everyone' })
    if (!agreed) throw new CommandFailure('Not done. Nothing was changed.')
  }
}
