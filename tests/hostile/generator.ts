import router from '@adonisjs/core/services/router'
import { openApiDocument } from '#app/openapi/document'
import type { Chance } from './chance.js'
import * as values from './values.js'

export type Route = { method: string; pattern: string; fields: Record<string, string> }

/**
 * Bytes to send. `unfinished`: the server may rightly wait for more of them, so the sender goes
 * away at once, and needs no answer. `deaf`: the sender reads nothing.
 */
export type Hostile = {
  bytes: Buffer
  kind: string
  path: string
  unfinished: boolean
  deaf?: boolean
}

type Draft = {
  method: string
  path: string
  headers: string[]
  body: Buffer | null
  chunked: boolean
  /** The sender hangs up before the end of what it has announced. */
  cutOff?: boolean
}

/**
 * Every route that is served, with the fields that the OpenAPI document knows of its body, so that
 * a route that is added is attacked from then on.
 */
export function servedRoutes(): Route[] {
  const paths = openApiDocument.paths as Record<string, Record<string, any>>
  return Object.values(router.toJSON())
    .flat()
    .flatMap(({ methods, pattern }) =>
      methods.map((method) => {
        const documented = paths[pattern.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
        const [content] = Object.values<any>(documented?.requestBody?.content ?? {})
        const fields = Object.keys(content?.schema?.properties ?? content?.example ?? {})
        return {
          method,
          pattern,
          fields: Object.fromEntries(fields.map((name) => [name, plain(pattern, name)])),
        }
      })
    )
}

/**
 * A value that would pass, as JSON. The e-mail is taken and the password wrong, and reset links are
 * wished for nobody, so that even a request that is not malformed at all changes nothing.
 */
function plain(pattern: string, field: string): string {
  if (field === 'email')
    return /forgot|email.verify/.test(pattern) ? '"nobody@example.com"' : '"taken@example.com"'
  if (field === 'device') return `{"id":"d-${values.MARKER}","name":"Phone","platform":"ios"}`
  if (field === 'endSessions') return '["nothing"]'
  return `"${values.MARKER} wrong"`
}

/**
 * One malformed request for a route. `headers` are added to every one, to speak for somebody.
 */
export function hostileRequest(chance: Chance, route: Route, headers: string[] = []): Hostile {
  if (chance.percent(2)) {
    const bytes = chance.percent(50) ? chance.pick(values.GARBAGE) : chance.bytes(chance.below(200))
    return { bytes, kind: 'no request', path: '', unfinished: true }
  }
  if (chance.percent(1)) return deafRequests(chance, route, headers)
  const draft: Draft = {
    method: route.method,
    path: route.pattern.replace(/:\w+/g, () => chance.pick(values.PATH_PARTS.slice(0, 12))),
    headers: [...headers],
    body: null,
    chunked: chance.percent(15),
  }
  const takesBody = !['GET', 'HEAD', 'OPTIONS'].includes(route.method)
  if (takesBody) fillBody(chance, route, draft)
  const kinds = Array.from({ length: 1 + chance.below(3) }, () => {
    const hurt = chance.percent(takesBody ? 50 : 0)
      ? chance.pick([hurtField, hurtField, hurtField, hurtBody, hurtEmail])
      : chance.pick(WOUNDS)
    hurt(chance, draft, route)
    return hurt.name
  })
  const bytes = toBytes(draft)
  return {
    bytes: draft.cutOff ? bytes.subarray(0, cutAt(chance, bytes)) : bytes,
    kind: kinds.join('+'),
    path: draft.path,
    unfinished:
      draft.cutOff ||
      draft.method === 'CONNECT' ||
      draft.headers.some((line) => LENGTHS.test(line)),
  }
}

/**
 * Many requests on one connection whose sender reads no answer. None of them costs a password hash:
 * those would hold up whoever sends at the same time, from the same network.
 */
function deafRequests(chance: Chance, route: Route, headers: string[]): Hostile {
  const { method, pattern } = route
  const path = pattern.replace(/:\w+/g, 'swagger-ui-bundle.js')
  const body = Buffer.from('{}')
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers]
  if (!['GET', 'HEAD', 'OPTIONS'].includes(method)) {
    lines.push('Content-Type: application/json', `Content-Length: ${body.length}`, '', '{}')
  } else lines.push('', '')
  const one = Buffer.from(lines.join('\r\n'), 'latin1')
  const bytes = Buffer.concat(Array<Buffer>(2 + chance.below(1_200)).fill(one))
  return { bytes, kind: 'deafRequests', path, unfinished: true, deaf: true }
}

/**
 * Somewhere within the body, or within the head where there is none.
 */
function cutAt(chance: Chance, bytes: Buffer): number {
  const body = bytes.indexOf('\r\n\r\n') + 4
  const from = body < bytes.length ? body : 0
  return from + chance.below(bytes.length - from)
}

/**
 * What says where a request ends.
 */
const LENGTHS = /^(content-length|transfer-encoding)/i

type Wound = (chance: Chance, draft: Draft, route: Route) => void

const hurtPath: Wound = (chance, draft, route) => {
  draft.path = route.pattern.replace(/:\w+/g, () => chance.pick(values.PATH_PARTS))
  if (chance.percent(20)) draft.path += `/${chance.pick(values.PATH_PARTS)}`
}

const hurtQuery: Wound = (chance, draft) => {
  draft.path += `?${chance.pick(values.QUERIES)}`
  if (chance.percent(30)) draft.path += `&${chance.pick(values.QUERIES)}`
}

const hurtHeaders: Wound = (chance, draft) => {
  for (let line = 0; line <= chance.below(3); line++) {
    draft.headers.push(chance.pick(values.HEADER_LINES))
  }
}

const hurtMethod: Wound = (chance, draft) => {
  draft.method = chance.pick(values.METHODS)
}

const hurtType: Wound = (chance, draft) => {
  draft.headers = draft.headers.filter((line) => !line.startsWith('Content-Type:'))
  if (chance.percent(80)) draft.headers.push(`Content-Type: ${chance.pick(values.CONTENT_TYPES)}`)
  draft.body ??= Buffer.from('{}')
}

const hurtEncoding: Wound = (chance, draft) => {
  const [encoding, body] = chance.pick(values.ENCODED)
  draft.headers.push(`Content-Encoding: ${encoding}`)
  draft.body = body
}

const hurtBody: Wound = (chance, draft) => {
  const body = chance.pick(values.BODIES)
  draft.body = typeof body === 'string' ? Buffer.from(body) : body
}

const hurtField: Wound = (chance, draft, route) => {
  const fields = Object.entries(route.fields)
  const parts = fields.map(([name, value]) => [name, value])
  const wounds = 1 + chance.below(2)
  for (let wound = 0; wound < wounds; wound++) {
    const at = chance.below(parts.length + 1)
    const value = chance.pick(values.JSON_VALUES)
    if (at === parts.length) parts.push([chance.pick(NAMES), value])
    else if (chance.percent(15)) parts.splice(at, 1)
    else if (chance.percent(10)) parts.push([parts[at][0], value])
    else parts[at] = [parts[at][0], value]
  }
  draft.body = Buffer.from(`{${parts.map(([name, value]) => `"${name}":${value}`).join(',')}}`)
}

/**
 * Not of a sign-up, where it could make an e-mail that nobody has: a good request.
 */
const hurtBytes: Wound = (chance, draft, route) => {
  if (!draft.body || draft.body.length === 0 || route.pattern.endsWith('/signup')) return
  draft.body = Buffer.from(draft.body)
  for (let flip = 0; flip <= chance.below(4); flip++) {
    draft.body[chance.below(draft.body.length)] = chance.below(256)
  }
  if (chance.percent(30)) draft.body = draft.body.subarray(0, chance.below(draft.body.length))
}

const hurtEmail: Wound = (chance, draft, route) => {
  if (!route.fields.email) return
  const email = chance.pick(values.EMAILS)
  const fields: Record<string, string> = { ...route.fields, email: JSON.stringify(email) }
  /** An address that is good would make an account, so the password is not. */
  if (route.pattern.endsWith('/signup')) fields.password = '"short"'
  const parts = Object.entries(fields).map(([name, value]) => `"${name}":${value}`)
  draft.body = Buffer.from(`{${parts.join(',')}}`)
}

const hurtProof: Wound = (chance, draft) => {
  for (let line = 0; line <= chance.below(2); line++) {
    draft.headers.push(`DPoP: ${chance.pick(values.PROOFS)}`)
  }
}

const hurtAddress: Wound = (chance, draft) => {
  const name = chance.pick(['X-Forwarded-For', 'X-Forwarded-For', 'X-Real-IP', 'Forwarded'])
  const hops = Array.from({ length: 1 + chance.below(3) }, () => chance.pick(values.ADDRESSES))
  draft.headers.push(`${name}: ${hops.join(', ')}`)
}

const cutOff: Wound = (_, draft) => {
  draft.cutOff = true
}

const WOUNDS = [
  hurtPath,
  hurtQuery,
  hurtHeaders,
  hurtHeaders,
  hurtMethod,
  hurtType,
  hurtEncoding,
  hurtBytes,
  hurtProof,
  hurtAddress,
  cutOff,
]

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'id',
  'role',
  'isAdmin',
  'userId',
  '',
  'a.b',
  'then',
]

function fillBody(chance: Chance, route: Route, draft: Draft) {
  if (route.pattern.startsWith('/oauth/')) {
    const form = new URLSearchParams({
      token: values.MARKER,
      client_id: 'x',
      client_secret: values.MARKER,
    })
    draft.body = Buffer.from(chance.percent(50) ? form.toString() : `${form}&token=b&token[]=c`)
    draft.headers.push('Content-Type: application/x-www-form-urlencoded')
    return
  }
  const fields = Object.entries(route.fields).map(([name, value]) => `"${name}":${value}`)
  draft.body = Buffer.from(`{${fields.join(',')}}`)
  draft.headers.push('Content-Type: application/json')
}

/**
 * The lengths are right unless a wound added others.
 */
function toBytes({ method, path, headers, body, chunked }: Draft): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers]
  if (body && chunked) lines.push('Transfer-Encoding: chunked')
  else if (body) lines.push(`Content-Length: ${body.length}`)
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  if (!body) return head
  if (!chunked) return Buffer.concat([head, body])
  const middle = body.length >> 1
  const chunks = [body.subarray(0, middle), body.subarray(middle)]
    .filter((chunk) => chunk.length > 0)
    .flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ])
  return Buffer.concat([head, ...chunks, Buffer.from('0\r\n\r\n')])
}
