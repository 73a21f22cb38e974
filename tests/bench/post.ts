import { Agent, request } from 'node:http'

/**
 * Connections stay open, as those of a client's library do. What a heavier client would add to every
 * request is not the server's.
 */
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

/**
 * Sends a body as JSON and reads the answer to its end.
 */
export function post(url: string, body: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json' },
    })
    sent.once('error', reject)
    sent.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode!, body: text }))
    })
    sent.end(JSON.stringify(body))
  })
}
