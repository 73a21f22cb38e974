import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/**
 * A proof of possession with an RSA key of 16,384 bits, signed by nobody.
 */
const LARGE_PROOF = [
  { typ: 'dpop+jwt', alg: 'RS256', jwk: { kty: 'RSA', n: 'v'.repeat(2_731), e: 'AQAB' } },
  { jti: 'of no use', htm: 'POST', htu: 'http://localhost/api/v1/auth/login', iat: 4_102_444_800 },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat('v'.repeat(2_731))
  .join('.')

const STATIC = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'

/**
 * Sixty-four connections of somebody who wants a server on this machine to stop: some ask for much
 * and read nothing, some send proofs of possession with large keys, some guess passwords.
 */
export class Attackers {
  /** What they were answered, by status. */
  readonly told: Record<number, number> = {}
  readonly #port: number
  readonly #stop = new AbortController()
  readonly #running: Promise<void>[] = []

  constructor(port: number) {
    this.#port = port
    this.#each(2, () => this.#readNothing(1_200))
    this.#each(14, () => this.#readNothing(32))
    this.#each(16, (agent) => this.#signIn(agent, 140, { dpop: LARGE_PROOF }))
    this.#each(32, (agent) => this.#signIn(agent, 100))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  /**
   * Repeats the work on so many connections until it is told to stop.
   */
  #each(count: number, work: (agent: Agent) => Promise<unknown>) {
    for (let index = 0; index < count; index++) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const repeat = async () => {
        while (!this.#stop.signal.aborted) await work(agent).catch(() => this.#pause(500))
        agent.destroy()
      }
      this.#running.push(repeat())
    }
  }

  #pause(milliseconds: number) {
    return wait(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  async #readNothing(requests: number) {
    const socket = connect(this.#port, '127.0.0.1')
    const { signal } = this.#stop
    socket.on('error', () => {})
    socket.pause()
    socket.write(STATIC.repeat(requests))
    await once(socket, 'close', { signal }).catch(() => {})
    socket.destroy()
    await this.#pause(500)
  }

  /**
   * A wrong sign-in, of another account each time. Guesses come from one network, proofs from many,
   * which no rate limit stops.
   */
  async #signIn(agent: Agent, pause: number, headers: Record<string, string> = {}) {
    const random = Math.random().toString(16).slice(2, 6)
    const network = headers.dpop ? `2001:db8:1:${random}::1` : '192.0.2.66'
    const body = JSON.stringify({ email: `nobody${random}@example.com`, password: 'wrong' })
    const { signal } = this.#stop
    const asked = request({
      agent,
      signal,
      host: '127.0.0.1',
      port: this.#port,
      method: 'POST',
      path: '/api/v1/auth/login',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'x-forwarded-for': network,
        ...headers,
      },
    })
    asked.end(body)
    const [answer] = await once(asked, 'response')
    answer.resume()
    await once(answer, 'end', { signal })
    this.told[answer.statusCode] = (this.told[answer.statusCode] ?? 0) + 1
    await this.#pause(pause)
  }
}
