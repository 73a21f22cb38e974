/**
 * Speaks to the public API with the tokens of this tab. They stand in memory and in session
 * storage, so that a reload keeps the session and closing the tab forgets it; never in a cookie.
 */
const KEY = 'latchkey'

/**
 * An error of the API's table.
 */
export class ApiFailure extends Error {
  constructor(status, errors) {
    super(errors[0]?.message ?? 'Something went wrong.')
    this.status = status
    this.errors = errors
    this.code = errors[0]?.code
    this.detail = errors[0] ?? {}
  }
}

let tokens = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
let renewal = null
let whenEnded = () => {}
let whenStale = () => Promise.reject(new Error('This needs your password.'))

/**
 * Calls back with the error of the 401 when the session of this tab has ended.
 */
export function onSessionEnded(callback) {
  whenEnded = callback
}

/**
 * Calls back when something wants a fresh sign-in, and waits until there is one.
 */
export function onStaleSignIn(callback) {
  whenStale = callback
}

export const isSignedIn = () => tokens !== null

export function keepTokens({ token, refreshToken }) {
  tokens = { token, refreshToken }
  sessionStorage.setItem(KEY, JSON.stringify(tokens))
}

export function forgetTokens() {
  tokens = null
  sessionStorage.removeItem(KEY)
}

async function send(method, path, { body, token, signal, accept } = {}) {
  const headers = { accept: accept ?? 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  return fetch(path, {
    method,
    headers,
    signal,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    credentials: 'omit',
  })
}

async function failureOf(response) {
  const answer = await response.json().catch(() => ({}))
  return new ApiFailure(response.status, answer.errors ?? [])
}

/**
 * A call without a token.
 */
export async function callOpenly(method, path, body) {
  const response = await send(method, path, { body })
  if (!response.ok) throw await failureOf(response)
  return response.status === 204 || response.status === 202 ? null : (await response.json()).data
}

/**
 * A response for the session of this tab. An expired access token is renewed, once for all calls
 * that wait for it; where the sign-in is too old, the person is asked for the password.
 */
export async function fetchWithToken(method, path, options = {}) {
  const used = tokens?.token
  const response = await send(method, path, { ...options, token: used })
  if (response.ok) return response

  const failure = await failureOf(response)
  if (failure.code === 'E_TOKEN_EXPIRED' && tokens) {
    if (tokens.token === used) await renew()
    return fetchWithToken(method, path, options)
  }
  if (failure.code === 'E_REAUTHENTICATION_REQUIRED') {
    await whenStale()
    return fetchWithToken(method, path, options)
  }
  if (response.status === 401 && tokens) {
    forgetTokens()
    whenEnded(failure.detail)
  }
  throw failure
}

/**
 * A call for the session of this tab. Gives the whole answer.
 */
export async function call(method, path, body) {
  const response = await fetchWithToken(method, path, { body })
  return response.status === 204 ? null : response.json()
}

function renew() {
  renewal ??= callOpenly('POST', '/api/v1/auth/refresh', { refreshToken: tokens.refreshToken })
    .then(keepTokens)
    .catch((failure) => {
      if (failure instanceof ApiFailure && failure.status < 500 && failure.status !== 429) {
        forgetTokens()
        whenEnded(failure.detail)
      }
      throw failure
    })
    .finally(() => (renewal = null))
  return renewal
}
