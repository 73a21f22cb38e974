import { args, flags } from '@adonisjs/core/ace'
import { CommandFailure, EXIT, UsageFailure } from '#app/terminal/failures'
import { explainValidation, FilteredCommand } from '#app/terminal/filtered_command'
import { onInterrupt } from '#app/terminal/interrupt'
import { amount, count, ProgressBar } from '#app/terminal/progress_bar'
import type {
  ForceLogoutOrder,
  ForceLogoutResult,
  MatchCount,
} from '#app/force_logout/force_logout'

/**
 * Signs users out, or everyone.
 */
export default class ForceLogout extends FilteredCommand {
  static commandName = 'force:logout'
  static description = 'Sign users out, at once, on every device'
  static help = [
    'Needs users or --all; filters narrow either, and all of them must match.',
    'Exit codes: 0 done (also when there was nothing to do), 1 failed or interrupted,',
    '2 unknown user or wrong usage, nothing changed.',
    '',
    'Examples:',
    '  {{ binaryName }} force:logout ada@example.com --reason="lost phone"',
    '  {{ binaryName }} force:logout 7 12 --platform=ios --dry-run',
    '  {{ binaryName }} force:logout --all --idle-for=30d --yes --json',
    '  {{ binaryName }} force:logout --all --include-api-keys --reason="incident 42"',
  ]

  @args.spread({ description: 'E-mail, id or external:ID of the users', required: false })
  declare users: string[]

  @flags.boolean({ description: 'Everyone instead of single users' })
  declare all: boolean

  @flags.boolean({ description: 'End API keys too' })
  declare includeApiKeys: boolean

  @flags.string({ description: 'Why, for the log' })
  declare reason: string

  @flags.boolean({ description: 'Name what would end, and change nothing' })
  declare dryRun: boolean

  @flags.boolean({ description: 'Do not ask before --all' })
  declare yes: boolean

  protected async perform() {
    const order = await this.#readOrder()
    return this.dryRun ? this.#preview(order) : this.#execute(order)
  }

  async #readOrder(): Promise<ForceLogoutOrder> {
    if (this.all && this.users) {
      throw new UsageFailure('Give users or --all, not both. Nothing was changed.')
    }
    if (!this.all && !this.users) {
      throw new UsageFailure('Give the users to sign out, or --all. Nothing was changed.')
    }
    const { reasonValidator } = await import('#validators/force_logout')
    const { meansSessionsOnly } = await import('#app/sessions/filters')
    const { reason } = await reasonValidator
      .validate({ reason: this.reason })
      .catch(explainValidation)
    const filters = await this.readFilters()
    if (this.includeApiKeys && meansSessionsOnly(filters)) {
      throw new UsageFailure(
        'API keys are on no device: --include-api-keys does not go with --session, --device or --platform.'
      )
    }
    return {
      who: this.all ? 'everyone' : await this.readUsers(this.users),
      filters,
      includeApiKeys: this.includeApiKeys ?? false,
      actor: `command:${this.commandName}`,
      note: reason,
    }
  }

  async #preview(order: ForceLogoutOrder) {
    const { previewForceLogout } = await import('#app/force_logout/force_logout')
    const { matched, sessions, apiKeysLeft } = await previewForceLogout(order)
    await this.#printSessions(sessions, matched.sessions)
    this.say(`Would end ${inWords(matched)}. Nothing was changed.`)
    await this.#sayKeysLiveOn(apiKeysLeft)
    this.printJson({
      dryRun: true,
      ended: matched.sessions,
      apiKeysEnded: matched.apiKeys,
      apiKeysLeft,
      sessions: await describe(sessions),
    })
  }

  async #execute(order: ForceLogoutOrder) {
    await this.#confirm(order)
    const { forceLogout } = await import('#app/force_logout/force_logout')
    const { signal, release } = onInterrupt()
    let bar: ProgressBar | undefined
    const result = await forceLogout(order, {
      signal,
      onCut: ({ at, took }) => {
        this.say(
          `Cut at ${at.toISOString()}: no earlier token is accepted any more (took ${Math.round(took)} ms).`
        )
      },
      onStart: (total) => (bar = new ProgressBar(total, 'ended')),
      onProgress: (ended) => bar?.advance(ended),
    }).finally(release)
    bar?.clear()
    await this.#report(result)
  }

  /**
   * Asks before everyone is signed out. Where no one can be asked, `--yes` has to say so.
   */
  async #confirm(order: ForceLogoutOrder) {
    if (!this.all || this.yes) return
    if (!this.canAsk) {
      throw new UsageFailure('--all needs --yes where no one can be asked. Nothing was changed.')
    }
    const { previewForceLogout } = await import('#app/force_logout/force_logout')
    const { matched } = await previewForceLogout(order)
    const agreed = await this.prompt.confirm(`End ${inWords(matched)} of everyone?`, {
      name: 'everyone',
    })
    if (!agreed) throw new CommandFailure('Not done. Nothing was changed.')
  }

  async #report(result: ForceLogoutResult) {
    const { ended, apiKeysEnded, apiKeysLeft, sessions, cut, complete } = result
    await this.#printSessions(sessions, ended)
    const what = inWords({ sessions: ended, apiKeys: apiKeysEnded })
    if (complete) this.say(`Ended ${what}.`)
    else {
      this.exitCode = EXIT.failed
      this.logger.logError(
        `Interrupted: the ends of ${what} are written and stay. ` +
          (cut
            ? 'The others are signed out too; the same command again writes the rest.'
            : 'The others live on; the same command again ends them.')
      )
    }
    await this.#sayKeysLiveOn(apiKeysLeft)
    this.printJson({
      ended,
      apiKeysEnded,
      apiKeysLeft,
      cutAt: cut,
      complete,
      sessions: await describe(sessions),
    })
  }

  async #sayKeysLiveOn(left: number) {
    const { keysLiveOn } = await import('#app/api_keys/api_key')
    const words = keysLiveOn(left, 'add --include-api-keys')
    if (words) this.say(words)
  }

  async #printSessions(sessions: ForceLogoutResult['sessions'], of: number) {
    if (this.json || sessions.length === 0) return
    const { sessionsTable } = await import('#app/terminal/sessions_table')
    for (const line of sessionsTable(sessions, process.stdout.columns)) this.say(line)
    if (of > sessions.length) this.say(`… and ${count(of - sessions.length)} more`)
  }
}

async function describe(sessions: ForceLogoutResult['sessions']) {
  const { describeListedSession } = await import('#app/sessions/list')
  return sessions.map((session) => describeListedSession(session))
}

function inWords({ sessions, apiKeys }: MatchCount): string {
  const words = amount(sessions, 'session')
  return apiKeys > 0 ? `${words} and ${amount(apiKeys, 'API key')}` : words
}
