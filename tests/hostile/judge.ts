import type { Exchange, RawAnswer } from './raw_client.js'
import type { Hostile } from './generator.js'

const HEADERS = [
  'x-content-type-options',
  'content-security-policy',
  'cache-control',
  'x-request-id',
]

/**
 * Longest time that an answer may take, in milliseconds: many times what any takes here, and far
 * less than input that sends a pattern or a loop astray.
 */
export const LONGEST = 5_000

/**
 * What is wrong with what a hostile request was answered; null when nothing is.
 */
export function faultOf(
  request: Hostile,
  { answers, took, timedOut, rest }: Exchange
): string | null {
  if (timedOut) return 'no end'
  if (took > LONGEST) return `took ${Math.round(took)} ms`
  if (answers.length === 0) return request.unfinished ? null : 'no answer'
  if (rest.trim() !== '') return `something behind the answer: ${rest.slice(0, 100)}`
  for (const answer of answers) {
    const fault = faultOfAnswer(request, answer)
    if (fault) return fault
  }
  return null
}

function faultOfAnswer(request: Hostile, { status, headers, body }: RawAnswer): string | null {
  if (status >= 500) return `status ${status}: ${body.slice(0, 200)}`
  for (const name of HEADERS) if (!headers.has(name)) return `status ${status} without ${name}`
  if (
    /\n\s+at |\\n\s+at |node_modules|SQLITE_|\.[jt]s:\d+|\b(select|insert|update) .+ (from|into|set) /i.test(
      body
    ) &&
    status >= 400
  ) {
    return `tells of the inside: ${body.slice(0, 200)}`
  }
  if (body === '') return null
  const type = headers.get('content-type') ?? ''
  if (!type.startsWith('application/json')) {
    return status === 200 ? null : `status ${status} of type ${type}`
  }
  try {
    const parsed = JSON.parse(body)
    if (status < 400) return null
    const { errors, error } = parsed
    if (request.path.startsWith('/oauth/') && typeof error === 'string') return null
    const wellFormed =
      Array.isArray(errors) &&
      errors.length > 0 &&
      errors.every(({ code, message }) => /^E_[A-Z_]+$/.test(code) && typeof message === 'string')
    return wellFormed ? null : `not of the table's shape: ${body.slice(0, 200)}`
  } catch {
    return `no JSON: ${body.slice(0, 200)}`
  }
}
