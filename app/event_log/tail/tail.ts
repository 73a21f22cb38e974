import db from '@adonisjs/lucid/services/db'
import { PostgresLog, SqliteLog, type LogSource } from '#app/event_log/tail/log_sources'
import { E_UNAVAILABLE } from '#exceptions/errors'
import { onCommit } from '#app/event_log/append'
import type { LoggedEvent } from '#app/event_log/read'

/**
 * How often the log is looked at though nobody said that it has grown, in milliseconds: what a
 * lost notification costs at most.
 */
const LOOK_EVERY = 1_000

/**
 * Milliseconds before the database is tried again: first and longest.
 */
const RETRY = { first: 100, longest: 5_000 }

/**
 * Hears what happens. A hint may be given twice and says nothing that is not committed.
 */
export type TailListener = {
  heard(events: LoggedEvent[]): void
  /** Something may have been missed: whoever depends on it looks at the database. */
  missed(): void
}

/**
 * Follows the log of all nodes while somebody listens.
 */
export class EventTail {
  readonly #makeSource: () => LogSource
  readonly #listeners = new Set<TailListener>()
  #source?: LogSource
  #isOpen = false
  #opening?: Promise<void>
  #looking = false
  #lookAgain = false
  #hinted = false
  #retryAfter = RETRY.first
  #retry?: NodeJS.Timeout
  #poll?: NodeJS.Timeout
  #forgetCommits?: () => void

  constructor(makeSource: () => LogSource) {
    this.#makeSource = makeSource
  }

  /**
   * Listens from now on: resolves when every commit from this moment on will be heard. Returns what
   * ends that. Throws when the database can't be asked.
   */
  async listen(listener: TailListener): Promise<() => void> {
    this.#listeners.add(listener)
    const leave = () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#stop()
    }
    try {
      await this.ready()
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }

  /**
   * Resolves when the log is being followed. Throws when the database can't be asked.
   */
  async ready(): Promise<void> {
    if (this.#retry) throw new E_UNAVAILABLE()
    this.#opening ??= this.#open()
    await this.#opening
  }

  async #open() {
    const source = this.#makeSource()
    this.#source = source
    try {
      await source.open(
        () => this.#grown(),
        () => this.#recover(source)
      )
    } catch (error) {
      this.#recover(source)
      throw error
    }
    if (this.#source !== source) return void source.close().catch(() => {})
    this.#isOpen = true
    this.#retryAfter = RETRY.first
    this.#poll = setInterval(() => this.#look(), LOOK_EVERY).unref()
    this.#forgetCommits = onCommit(() => this.#grown())
    this.#look()
  }

  #grown() {
    this.#hinted = true
    this.#look()
  }

  #look() {
    if (this.#looking) this.#lookAgain = true
    else if (this.#source && this.#isOpen) void this.#lookAt(this.#source)
  }

  async #lookAt(source: LogSource) {
    this.#looking = true
    try {
      do {
        const hinted = this.#hinted
        this.#lookAgain = this.#hinted = false
        const { events, missed } = await source.look(hinted)
        if (missed) for (const listener of this.#listeners) listener.missed()
        if (events.length > 0) for (const listener of this.#listeners) listener.heard(events)
      } while (this.#lookAgain && this.#source === source)
    } catch {
      this.#recover(source)
    } finally {
      this.#looking = false
      if (this.#lookAgain) this.#look()
    }
  }

  /**
   * Begins anew after a while, with a new source, and has everybody look for what was missed.
   */
  #recover(source: LogSource) {
    if (this.#source !== source) return
    this.#close()
    if (this.#listeners.size === 0) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.ready().then(
        () => {
          for (const listener of this.#listeners) listener.missed()
        },
        () => {}
      )
    }, this.#retryAfter).unref()
    this.#retryAfter = Math.min(this.#retryAfter * 2, RETRY.longest)
  }

  #stop() {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#close()
  }

  #close() {
    clearInterval(this.#poll)
    this.#forgetCommits?.()
    this.#source?.close().catch(() => {})
    this.#source = undefined
    this.#isOpen = false
    this.#opening = undefined
  }
}

/**
 * The tail of this process.
 */
export const eventTail = new EventTail(() =>
  db.connection().dialect.name === 'postgres' ? new PostgresLog() : new SqliteLog()
)
