import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { args, flags } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'
import { EXIT, UsageFailure } from '#app/terminal/failures'
import { onInterrupt } from '#app/terminal/interrupt'
import { OperatorCommand } from '#app/terminal/operator_command'
import { count, ProgressBar } from '#app/terminal/progress_bar'
import type { Format } from '#app/user_import/lines'
import type { ImportReport } from '#app/user_import/import_users'

/**
 * How many refused lines `--json` lists: what a process may hold of a file that is wrong from end to end.
 */
const LISTED = 100_000

/**
 * Brings users along from another system (docs/moving_over.md).
 */
export default class UserImport extends OperatorCommand {
  static commandName = 'user:import'
  static description = 'Create users from a file of another system'
  static help = [
    'One JSON object a line, or CSV whose first line names the columns:',
    '  email, externalId, fullName, passwordHash, emailVerified, disabled, createdAt, sessionLimit',
    'An account that is there is left as it is, so a second run goes on where the first one stopped.',
    '  {{ binaryName }} user:import users.ndjson --dry-run',
    '  {{ binaryName }} user:import - --format=csv < users.csv',
  ]

  @args.string({ description: 'The file; - is standard input' })
  declare file: string

  @flags.string({
    description: 'ndjson or csv (default: what the name of the file says, else ndjson)',
  })
  declare format: string

  @flags.boolean({ description: 'Read the file and the accounts, and change nothing' })
  declare dryRun: boolean

  protected async perform() {
    const { COLUMNS } = await import('#app/user_import/account')
    const { importUsers } = await import('#app/user_import/import_users')
    const { readLines, WrongHeader } = await import('#app/user_import/lines')

    const format = await this.#format()
    const { stream, size } = await this.#open()
    const bar = new ProgressBar(size, size === null ? 'lines' : 'bytes')
    const refused: { line: number; reason: string }[] = []
    let done = 0
    const { signal, release } = onInterrupt()
    const report = await importUsers(readLines(stream, format, COLUMNS), {
      dryRun: this.dryRun,
      signal,
      onRefused: (line, reason) => {
        if (refused.length < LISTED) refused.push({ line, reason })
        if (this.json) return
        bar.clear()
        this.logger.logError(`Line ${line} was refused: ${reason}`)
      },
      onProgress: (lines, end) => {
        bar.advance(size === null ? lines : Math.max(end - done, 0))
        done = Math.max(end, done)
      },
    })
      .catch((error) => {
        if (error instanceof WrongHeader) throw new UsageFailure(escapeText(error.message))
        throw error
      })
      .finally(() => {
        release()
        bar.clear()
      })
    this.#report(report, refused)
  }

  async #format(): Promise<Format> {
    const { FORMATS } = await import('#app/user_import/lines')
    if (this.format === undefined) return this.file.endsWith('.csv') ? 'csv' : 'ndjson'
    const format = FORMATS.find((one) => one === this.format)
    if (!format) throw new UsageFailure(`--format is ${FORMATS.join(' or ')}. Nothing was changed.`)
    return format
  }

  /**
   * `size` is null where nobody knows how much will come.
   */
  async #open(): Promise<{ stream: AsyncIterable<Buffer>; size: number | null }> {
    if (this.file === '-') return { stream: process.stdin, size: null }
    const file = await stat(this.file).catch(() => null)
    if (!file || file.isDirectory()) {
      throw new UsageFailure(`There is no file ${escapeText(this.file)}. Nothing was changed.`)
    }
    return { stream: createReadStream(this.file), size: file.isFile() ? file.size : null }
  }

  #report(
    { complete, ...report }: ImportReport & { complete: boolean },
    lines: { line: number; reason: string }[]
  ) {
    const { read, created, unchanged, refused } = report
    this.printJson({ ...report, lines })
    this.say(
      `Read ${count(read)} lines: ${this.dryRun ? 'would create' : 'created'} ${count(created)} users, ` +
        `${count(unchanged)} were there already, ${count(refused)} lines were refused.`
    )
    if (this.dryRun) this.say('Nothing was changed.')
    if (complete) return
    this.exitCode = EXIT.failed
    this.logger.logError('Interrupted: the same command again goes on from there.')
  }
}
