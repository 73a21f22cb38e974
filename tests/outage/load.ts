import { makeUser } from '#tests/harness/accounts'
import { call, logIn, type Answer } from '#tests/harness/http'

/**
 * An answer under load: when its request began and how long it took, in milliseconds.
 */
export type Seen = { at: number; took: number; status: number; what: string; retryAfter?: string }

/**
 * Devices that ask a server without a pause: some check their token, some refresh it, some sign in
 * anew each time.
 */
export class Load {
  readonly seen: Seen[] = []
  readonly #url: string
  readonly #running: Promise<unknown>[] = []
  #going = true

  constructor(url: string) {
    this.#url = url
  }

  /**
   * Starts so many of each. Resolves once all are signed in and at work.
   */
  async start(devices: { checking: number; refreshing?: number; signingIn?: number }) {
    const each = async (count: number, work: (email: string) => Promise<() => Promise<Answer>>) => {
      const users = await Promise.all(Array.from({ length: count }, () => makeUser()))
      const asks = await Promise.all(users.map(({ email }) => work(email)))
      for (const ask of asks) this.#running.push(this.#repeat(ask))
    }
    await each(devices.checking, async (email) => {
      const { body } = await logIn(this.#url, email)
      return () => call(this.#url, 'GET', '/api/v1/account', { token: body.data.token })
    })
    await each(devices.refreshing ?? 0, async (email) => {
      const { body } = await logIn(this.#url, email)
      let tokens = body.data
      return async () => {
        const answer = await call(this.#url, 'POST', '/api/v1/auth/refresh', {
          body: { refreshToken: tokens.refreshToken },
        })
        tokens = answer.body.data ?? tokens
        return answer
      }
    })
    await each(devices.signingIn ?? 0, async (email) => () => logIn(this.#url, email))
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#running)
  }

  /**
   * How many requests a millisecond succeeded of those that began in a span of time.
   */
  rate(from: number, to: number): number {
    return this.during(from, to).filter(({ status }) => status === 200).length / (to - from)
  }

  during(from: number, to = Infinity): Seen[] {
    return this.seen.filter(({ at }) => at >= from && at < to)
  }

  /**
   * Every kind of answer but success.
   */
  refusals(): string[] {
    const refused = this.seen.filter(({ status }) => status !== 200)
    return [...new Set(refused.map(({ what }) => what))]
  }

  async #repeat(ask: () => Promise<Answer>) {
    while (this.#going) {
      const at = performance.now()
      const { status, body, headers } = await ask()
      const retryAfter = headers.get('retry-after') ?? undefined
      const what = `${status} ${body?.errors?.[0].code ?? ''}`.trim()
      this.seen.push({ at, took: performance.now() - at, status, what, retryAfter })
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/**
 * Lets so many milliseconds go by under load.
 */
export function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
