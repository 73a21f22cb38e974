import http from 'node:http'
import https from 'node:https'

export type Answer = { status: number; headers: http.IncomingHttpHeaders; body: string }

type Question = {
  method: 'GET' | 'POST'
  path: string
  headers: http.OutgoingHttpHeaders
  body?: string
  timeoutMs: number
}

/**
 * The largest answer that is read, in bytes: a full page of the feed has a quarter of it.
 */
const LARGEST_ANSWER = 1024 * 1024

/**
 * A few connections to Latchkey, kept open. Requests that find none free wait for one; the time they
 * wait counts.
 */
export class Connection {
  readonly #base: URL
  readonly #client: typeof http | typeof https
  readonly #agent: http.Agent

  constructor(url: string, maxSockets: number) {
    this.#base = new URL(url)
    this.#client = this.#base.protocol === 'https:' ? https : http
    this.#agent = new this.#client.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' })
  }

  /**
   * The answer to a question. Asks a second time when a kept connection turned out to be closed
   * already: everything that is asked may be repeated. Throws when there is no answer in time.
   */
  async ask(question: Question): Promise<Answer> {
    const deadline = performance.now() + question.timeoutMs
    try {
      return await this.#askOnce(question)
    } catch (error) {
      const left = deadline - performance.now()
      if (!(error as { wasClosed?: boolean }).wasClosed || left <= 0) throw error
      return this.#askOnce({ ...question, timeoutMs: left })
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #askOnce({ method, path, headers, body, timeoutMs }: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { protocol, hostname, port, pathname } = this.#base
      const request = this.#client.request({
        protocol,
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        method,
        path: pathname.replace(/\/$/, '') + path,
        headers: { ...headers, ...(body && { 'Content-Length': Buffer.byteLength(body) }) },
        agent: this.#agent,
      })
      const timer = setTimeout(() => request.destroy(new Error('No answer in time')), timeoutMs)
      let answered = false
      const fail = (error: Error) => {
        clearTimeout(timer)
        const code = (error as NodeJS.ErrnoException).code
        const wasClosed =
          !answered && request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
        reject(Object.assign(error, { wasClosed }))
      }
      request.once('error', fail)
      request.once('response', (response) => {
        answered = true
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          length += chunk.length
          if (length > LARGEST_ANSWER) request.destroy(new Error('The answer is too large'))
        })
        response.once('error', fail)
        response.once('close', () => fail(new Error('The answer was cut off')))
        response.once('end', () => {
          clearTimeout(timer)
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode!, headers: response.headers, body: text })
        })
      })
      request.end(body)
    })
  }
}
