import type { IncomingMessage } from 'node:http'

/**
 * What a request says of who it speaks for, and what a proof of possession is made for.
 */
export type Presented = {
  /** Every `Authorization` header as it came: more than one is Latchkey's to refuse. */
  authorization: string[]
  dpop: string[]
  userAgent: string | undefined
  method: string
  /** Path and query as the client sent them. */
  path: string
}

/**
 * What a request of Node.js says. Its raw headers are read: Node.js keeps the first of two
 * `Authorization` headers and drops the rest.
 */
export function presentedBy(message: IncomingMessage, path = message.url ?? '/'): Presented {
  const authorization: string[] = []
  const dpop: string[] = []
  const { rawHeaders } = message
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name.length === 13 && name.toLowerCase() === 'authorization') {
      authorization.push(rawHeaders[index + 1])
    } else if (name.length === 4 && name.toLowerCase() === 'dpop') dpop.push(rawHeaders[index + 1])
  }
  const { method, headers } = message
  return { authorization, dpop, userAgent: headers['user-agent'], method: method!, path }
}

/**
 * The bearer token of a request, where that is all it presents: no proof, and nothing twice.
 */
export function bearerToken({ authorization, dpop }: Presented): string | null {
  if (authorization.length !== 1 || dpop.length > 0) return null
  const [, token] = /^bearer +([A-Za-z0-9\-._~+/]{1,200}=*)$/i.exec(authorization[0]) ?? []
  return token ?? null
}
