import { PASSWORD } from './accounts.js'
import { checkAnswer } from './openapi.js'

export type Answer = { status: number; headers: Headers; body: any }

/**
 * One request to the API of a server, as a client in another process makes it. The answer is held
 * against the OpenAPI document.
 */
export async function call(
  server: string,
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {}
): Promise<Answer> {
  const response = await fetch(server + path, {
    method,
    headers: {
      ...(options.token && { authorization: `Bearer ${options.token}` }),
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...options.headers,
    },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
  })
  const text = await response.text()
  const answer = {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : JSON.parse(text),
  }
  checkAnswer({
    ...answer,
    method,
    path: new URL(path, server).pathname,
    type: response.headers.get('content-type') ?? '',
  })
  return answer
}

/**
 * Signs a test user in over HTTP.
 */
export function logIn(server: string, email: string, said: Record<string, unknown> = {}) {
  return call(server, 'POST', '/api/v1/auth/login', {
    body: { email, password: PASSWORD, ...said },
  })
}
