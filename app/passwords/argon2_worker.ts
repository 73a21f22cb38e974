import { fork, type ChildProcess } from 'node:child_process'
import { availableParallelism, setPriority } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import logger from '@adonisjs/core/services/logger'
import { PasswordDriver } from '#app/passwords/foreign_hash'
import { E_UNAVAILABLE } from '#exceptions/errors'

type Parameters = ConstructorParameters<typeof PasswordDriver>[0]
type Order = { plain: string; hashed?: string }
type Answer = { id: number; result?: string | boolean }
type Pending = { resolve: (result: string | boolean) => void; reject: (error: Error) => void }

/**
 * How much a hash stands back when processors are scarce, as a nice value: it gets a tenth of what
 * the check of a token gets, and everything that is left over.
 */
const STANDS_BACK = 10

/**
 * Milliseconds after which a hash fails, and the process with it: one takes tens of them, and that of
 * another system a second at most (#app/passwords/foreign_hash), so by then it stands still.
 */
const HASH_TIMEOUT_MS = 10_000

const SCRIPT = new URL(`./argon2_worker_process${extname(import.meta.url)}`, import.meta.url)

/**
 * The driver of passwords in a process beside this one with a lower priority: a storm of
 * sign-ins takes what time the checks of tokens leave, and not the other way round. Hashes cannot
 * stand back within the process, for they share its thread pool with SQLite.
 */
export class Argon2Worker extends PasswordDriver {
  readonly #parameters: Parameters
  readonly #timeoutMs: number
  readonly #pending = new Map<number, Pending>()
  #child?: ChildProcess
  #orders = 0
  #unstartable = false

  constructor(parameters: Parameters, timeoutMs = HASH_TIMEOUT_MS) {
    super(parameters)
    this.#parameters = parameters
    this.#timeoutMs = timeoutMs
  }

  /**
   * The hash of a password. Throws `E_UNAVAILABLE` when the process ends or stands still.
   */
  override async make(plain: string): Promise<string> {
    if (this.#unstartable) return super.make(plain)
    return (await this.#order({ plain })) as string
  }

  /**
   * Whether a hash is that of the password. Throws `E_UNAVAILABLE` when the process ends or stands
   * still.
   */
  override async verify(hashed: string, plain: string): Promise<boolean> {
    if (this.#unstartable) return super.verify(hashed, plain)
    return (await this.#order({ plain, hashed })) as boolean
  }

  /**
   * The process that hashes now, for tests.
   */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  #order(order: Order): Promise<string | boolean> {
    const child = (this.#child ??= this.#start())
    const id = this.#orders++
    const stuck = setTimeout(() => child.kill('SIGKILL'), this.#timeoutMs).unref()
    return new Promise<string | boolean>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      child.send({ id, ...order }, (error) => {
        if (error) this.#settle({ id })
      })
    }).finally(() => clearTimeout(stuck))
  }

  #settle({ id, result }: Answer) {
    const waiting = this.#pending.get(id)
    this.#pending.delete(id)
    if (result === undefined) waiting?.reject(new E_UNAVAILABLE())
    else waiting?.resolve(result)
  }

  /**
   * It gets nothing of the environment: what it needs are the parameters, which are no secret, and a
   * thread for each hash at once (#app/passwords/passwords).
   */
  #start(): ChildProcess {
    const child = fork(fileURLToPath(SCRIPT), [JSON.stringify(this.#parameters)], {
      execArgv: [],
      env: { UV_THREADPOOL_SIZE: String(availableParallelism()) },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    child.on('message', (answer: Answer) => this.#settle(answer))
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) this.#unstartable = true
      logger.error({ code: error.code }, 'The process that hashes passwords is out of reach.')
      this.#forget(child)
    })
    child.on('exit', () => this.#forget(child))
    if (child.pid !== undefined) setPriority(child.pid, STANDS_BACK)
    child.unref()
    child.channel?.unref()
    return child
  }

  /**
   * The next order starts another one.
   */
  #forget(child: ChildProcess) {
    if (this.#child !== child) return
    this.#child = undefined
    for (const id of [...this.#pending.keys()]) this.#settle({ id })
  }
}
