import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'

const compress = promisify(gzip)

const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

type Prepared = { plain: Buffer; packed: Buffer; etag: string }

/**
 * What is the same for everybody as long as the server runs. It is made and compressed once, and
 * all answers share its bytes, however many wait for clients that do not read. In development it
 * is made anew for each request.
 */
export class StaticContent {
  readonly #headers: Record<string, string>
  readonly #make: () => Promise<string | Buffer>
  #prepared?: Promise<Prepared>

  constructor(headers: Record<string, string>, make: () => Promise<string | Buffer>) {
    this.#headers = headers
    this.#make = make
  }

  /**
   * Answers with it, or with 304 to who has it already.
   */
  async send({ request, response }: HttpContext): Promise<void> {
    const { plain, packed, etag } = await this.#prepare()
    for (const [name, value] of Object.entries(this.#headers)) response.header(name, value)
    response.append('Vary', 'Accept-Encoding').header('ETag', etag)
    if (response.fresh()) return response.status(304).send(null)
    if (request.encoding(['gzip', 'identity']) !== 'gzip') return response.send(plain)
    response.header('Content-Encoding', 'gzip').send(packed)
  }

  #prepare(): Promise<Prepared> {
    if (app.inDev) return this.#read()
    this.#prepared ??= this.#read().catch((error) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  /**
   * The tag is weak: it stands for the plain form and the compressed one alike.
   */
  async #read(): Promise<Prepared> {
    const plain = Buffer.from(await this.#make())
    const etag = `W/"${createHash('sha256').update(plain).digest('base64url')}"`
    return { plain, packed: await compress(plain), etag }
  }
}

/**
 * A page of HTML with a policy of its own for what it may load.
 */
export function staticPage(policy: string[], make: () => Promise<string>): StaticContent {
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    'Cache-Control': 'no-cache',
  }
  return new StaticContent(headers, make)
}

/**
 * A file, with the type that its name says.
 */
export function staticFile(path: string, headers: Record<string, string>): StaticContent {
  return new StaticContent({ 'Content-Type': TYPES[extname(path)], ...headers }, () =>
    readFile(path)
  )
}
