import { ApiFailure, fetchWithToken } from './api.js'

/**
 * Milliseconds before the stream is opened again once its token is dead: the answer that brings the
 * new one may still be on its way.
 */
const AFTER_EXPIRY = 2_000

/**
 * Listens to the session's event stream until it is closed, and connects again after a break.
 * `fetch` instead of EventSource, which can't send the token in a header.
 */
export function listen({ onEvent, onConnection }) {
  const closing = new AbortController()
  let pause = 500

  async function connect() {
    const response = await fetchWithToken('GET', '/api/v1/session/events', {
      accept: 'text/event-stream',
      signal: closing.signal,
    })
    onConnection(true)
    pause = 500
    for await (const event of eventsOf(response.body)) {
      if (event.name === 'token.expired') pause = AFTER_EXPIRY
      onEvent(event)
    }
  }

  async function keepConnected() {
    while (!closing.signal.aborted) {
      try {
        await connect()
      } catch (error) {
        if (closing.signal.aborted) return
        if (error instanceof ApiFailure && error.status === 401) return
      }
      onConnection(false)
      await new Promise((resolve) => setTimeout(resolve, pause))
      pause = Math.min(pause * 2, 15_000)
    }
  }

  void keepConnected()
  return () => closing.abort()
}

/**
 * The events of a `text/event-stream`, as the HTML standard reads one.
 */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    buffer += value
    const blocks = buffer.split(/\r?\n\r?\n/)
    buffer = blocks.pop()
    for (const block of blocks) {
      const event = parse(block)
      if (event) yield event
    }
  }
}

function parse(block) {
  let name = 'message'
  const data = []
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith('event:')) name = line.slice(6).trim()
    if (line.startsWith('data:')) data.push(line.slice(5).trim())
  }
  return data.length > 0 ? { name, data: JSON.parse(data.join('\n')) } : null
}
