import { setTimeout as sleep } from 'node:timers/promises'
import logger from '@adonisjs/core/services/logger'
import mail from '@adonisjs/mail/services/main'
import clock from '#app/clock'
import { mails } from '#app/metrics/metrics'
import { appUrl } from '#config/app'
import { onQueued, removeMail, returnMail, takeMail, type TakenMail } from '#mails/outbox'
import { writeMail } from '#mails/write_mail'

/**
 * How many mails a node sends at once.
 */
const AT_ONCE = 2

/**
 * How often a node looks for mails that others left, or that are due again, in milliseconds.
 */
const LOOK_EVERY = 15_000

/**
 * Milliseconds after which a mail under way has failed, however slowly the server goes on: less than
 * the `LEASE` of #mails/outbox.
 */
const SEND_WITHIN = 60_000

/**
 * Milliseconds until the second try, and the longest between two: it doubles each time.
 */
const FIRST_RETRY = 30_000
const LAST_RETRY = 60 * 60 * 1000

/**
 * What a mail server, or the way to it, said.
 */
type Fault = { code?: string; command?: string; responseCode?: number }

/**
 * Sends the mails that wait in the database, those of every node. A mail's text can hold a link, so a
 * failure tells the kind of fault and nothing of the mail.
 */
export class Postman {
  #timer?: NodeJS.Timeout
  #forget?: () => void
  #round?: Promise<void>
  #again = false
  #stopped = false
  readonly #underWay = new Set<TakenMail>()

  /**
   * From now on sends what commits on this node, and what it finds every now and then.
   */
  start(): void {
    const look = () =>
      void this.deliver().catch((error: { code?: string }) =>
        logger.warn({ code: error.code }, 'Mails that wait could not be read from the database.')
      )
    this.#timer = setInterval(look, LOOK_EVERY).unref()
    this.#forget = onQueued(look)
    look()
  }

  /**
   * Sends what is due, one after another, until nothing is, or the mail server is out of reach.
   */
  deliver(): Promise<void> {
    this.#again = true
    this.#round ??= this.#sendAll().finally(() => (this.#round = undefined))
    return this.#round
  }

  /**
   * Takes no more, and waits so many milliseconds for what is under way. Then that is due again, for
   * whichever node looks next. Returns how many those are.
   */
  async stop(withinMs: number): Promise<number> {
    clearInterval(this.#timer)
    this.#forget?.()
    this.#stopped = true
    await Promise.race([this.#round?.catch(() => {}), sleep(withinMs, undefined, { ref: false })])
    const left = [...this.#underWay]
    await Promise.allSettled(left.map((taken) => returnMail(taken, 0)))
    return left.length
  }

  async #sendAll(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#sendOneByOne()))
    }
  }

  async #sendOneByOne(): Promise<void> {
    while (!this.#stopped) {
      const taken = await takeMail()
      if (!taken) return
      this.#underWay.add(taken)
      try {
        if (!(await this.#send(taken))) return
      } finally {
        this.#underWay.delete(taken)
      }
    }
  }

  /**
   * Returns whether it is worth to go on with the next.
   */
  async #send(taken: TakenMail): Promise<boolean> {
    const written = await writeMail(taken)
    if (written) {
      /** The same at each try: where a try did arrive, mail programs show it once. */
      written.message.to(taken.email).messageId(`<${taken.id}@${new URL(appUrl).hostname}>`)
      const late = new AbortController()
      const sent = mail.send(written).then(
        () => undefined,
        (error: Fault) => error ?? {}
      )
      const timeout = sleep(SEND_WITHIN, { code: 'ETIMEDOUT' } as Fault, {
        ref: false,
        signal: late.signal,
      }).catch(() => undefined)
      const fault = await Promise.race([sent, timeout])
      late.abort()
      if (fault) return this.#sentInVain(taken, fault)
      mails.inc({ outcome: 'sent' })
    }
    await removeMail(taken)
    return true
  }

  async #sentInVain(taken: TakenMail, fault: Fault): Promise<boolean> {
    const { code, responseCode } = fault
    const wait = Math.min(FIRST_RETRY * 2 ** (taken.attempts - 1), LAST_RETRY)
    const { kind, attempts } = taken
    if (isForGood(fault) || clock.millis() + wait >= taken.expiresAt.getTime()) {
      mails.inc({ outcome: 'given_up' })
      logger.warn({ code, responseCode, kind, attempts }, 'A mail was given up.')
      await removeMail(taken)
    } else {
      mails.inc({ outcome: 'failed' })
      const retryIn = `${wait / 1000}s`
      logger.warn({ code, responseCode, kind, attempts, retryIn }, 'A mail could not be sent.')
      await returnMail(taken, wait)
    }
    return responseCode !== undefined
  }
}

/**
 * The server refuses this recipient or this mail, today and tomorrow (RFC 5321 §4.2.1). What else it
 * refuses for good, such as the password or the sender, is for an operator to mend.
 */
function isForGood({ command, responseCode = 0 }: Fault): boolean {
  return responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA')
}

/**
 * That of this process. Ace commands leave their mails to the servers.
 */
export const postman = new Postman()
