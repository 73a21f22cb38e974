import { createServer, type AddressInfo, type Socket } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type ReceivedMail = { from: string; to: string[]; source: string }

/**
 * A real SMTP server on a free port of the loopback interface. `refuse` makes it turn mails away.
 */
export async function startMailServer(options: { refuse?: boolean } = {}) {
  const mails: ReceivedMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      let source = ''
      stream.setEncoding('utf8').on('data', (chunk) => (source += chunk))
      stream.on('end', () => {
        if (options.refuse) return done(new Error('Mailbox is full'))
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom ? mailFrom.address : ''
        mails.push({ from, to: rcptTo.map(({ address }) => address), source })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    port,
    /** Waits until so many mails have come. Throws when they have not within ten seconds. */
    async received(count: number): Promise<ReceivedMail[]> {
      const deadline = Date.now() + 10_000
      while (mails.length < count) {
        if (Date.now() > deadline) throw new Error(`Only ${mails.length} of ${count} mails came.`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return mails
    },
    stop: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

/**
 * The text of a mail as its reader sees it: long lines come broken (quoted-printable).
 */
export function textOf(source: string): string {
  const body = source.slice(source.indexOf('\r\n\r\n') + 4)
  return body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/**
 * A mail server that takes connections and never says a word.
 */
export async function startSilentMailServer() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    /** How many have connected so far. */
    connections: () => sockets.size,
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
