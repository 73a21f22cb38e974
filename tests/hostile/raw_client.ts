import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'

export type RawAnswer = { status: number; headers: Map<string, string>; body: string }

/**
 * What came back on one connection: `took` in milliseconds, until the server closed it.
 */
export type Exchange = { answers: RawAnswer[]; took: number; timedOut: boolean; rest: string }

/**
 * Sends exactly these bytes on a connection of their own and reads until the server closes it,
 * `patience` milliseconds at most. With `leave` the client closes its side after the last byte.
 */
export function exchange(
  port: number,
  bytes: Buffer,
  options: { patience?: number; leave?: boolean } = {}
): Promise<Exchange> {
  const start = performance.now()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      socket.destroy()
    }, options.patience ?? 5_000)
    socket.on('connect', () => {
      if (options.leave) socket.end(bytes)
      else socket.write(bytes)
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => socket.end())
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      const parsed = parseAnswers(Buffer.concat(chunks))
      resolve({ ...parsed, took: performance.now() - start, timedOut })
    })
  })
}

/**
 * Sends these bytes, reads nothing and hangs up a moment later.
 */
export async function sendDeaf(port: number, bytes: Buffer): Promise<Exchange> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write(bytes)
  await wait(100)
  socket.destroy()
  return { answers: [], took: 0, timedOut: false, rest: '' }
}

function parseAnswers(bytes: Buffer): { answers: RawAnswer[]; rest: string } {
  const answers: RawAnswer[] = []
  let text = bytes.toString('latin1')
  while (true) {
    const end = text.indexOf('\r\n\r\n')
    const [, code] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? []
    if (end === -1 || !code) return { answers, rest: text }
    const headers = new Map(
      text
        .slice(0, end)
        .split('\r\n')
        .slice(1)
        .map((line) => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
        })
    )
    text = text.slice(end + 4)
    const status = Number(code)
    if (status === 100) continue
    const length = Number(headers.get('content-length') ?? text.length)
    const sent = Buffer.from(text.slice(0, length), 'latin1')
    const packed = headers.get('content-encoding') === 'gzip' && sent.length > 0
    const body = (packed ? gunzipSync(sent) : sent).toString('utf8')
    answers.push({ status, headers, body })
    text = text.slice(length)
  }
}
