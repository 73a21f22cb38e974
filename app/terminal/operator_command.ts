import { BaseCommand, flags } from '@adonisjs/core/ace'
import type { CommandOptions, ParsedOutput } from '@adonisjs/core/types/ace'
import { escapeJson, escapeText } from '#app/terminal/escape'
import { reportFailure, UsageFailure } from '#app/terminal/failures'

/**
 * SQLite would make the file, also where its name was mistyped: that is left to migrations.
 */
async function assertDatabaseExists(): Promise<void> {
  const { default: db } = await import('@adonisjs/lucid/services/db')
  const { assertInPlace } = await import('#app/database/sqlite_file')
  const { config } = db.manager.get(db.primaryConnectionName)!
  const { filename } = (config.connection ?? {}) as { filename?: string }
  if (filename) assertInPlace(filename, { mayCreate: false })
}

/**
 * What the commands for operators have in common: the exit codes, `--json` alone on standard
 * output, and failures told in one sentence.
 *
 * Ace imports every command's module before it knows which one runs and before the environment is
 * read, so commands import the domain inside `perform`.
 */
export abstract class OperatorCommand extends BaseCommand {
  static options: CommandOptions = { startApp: true }

  @flags.boolean({ description: 'Print one JSON object on standard output and nothing else' })
  declare json: boolean

  /**
   * The work of the command. Throws a `CommandFailure` to stop with its exit code.
   */
  protected abstract perform(): Promise<void>

  override async run(): Promise<void> {
    try {
      await assertDatabaseExists()
      await this.perform()
    } catch (error) {
      this.exitCode = reportFailure(error, this.logger, this.json)
    }
  }

  /**
   * Ace answers a wrong flag with exit code 1, as if the work had failed: here it is wrong usage. Who asks for help has said nothing wrong yet.
   */
  static override validate(parsed: ParsedOutput): void {
    if (parsed.flags.help) return
    try {
      super.validate(parsed)
    } catch (error) {
      const failure = new UsageFailure(escapeText((error as Error).message))
      throw Object.assign(failure, {
        render(_: unknown, kernel: { exitCode?: number; ui: BaseCommand['ui'] }) {
          kernel.exitCode = reportFailure(failure, kernel.ui.logger, parsed.flags.json === true)
        },
      })
    }
  }

  /**
   * Whether a person sits at a terminal and can be asked.
   */
  protected get canAsk(): boolean {
    return !this.json && Boolean(process.stdin.isTTY && process.stdout.isTTY)
  }

  /**
   * A line for people on standard output; nothing with `--json`.
   */
  protected say(line: string): void {
    if (!this.json) this.logger.log(line)
  }

  /**
   * The one JSON object of `--json`.
   */
  protected printJson(value: unknown): void {
    if (this.json) this.logger.log(escapeJson(value, 2))
  }
}
