import autocannon from 'autocannon'

export type Load = {
  url: string
  tokens: string[]
  connections: number
  /** How long the measurement takes, in seconds, after `WARM_UP`. */
  seconds: number
}

/**
 * `rate` is in requests a second, latencies are in milliseconds. `failures` counts what was not
 * answered with 200, by status or kind.
 */
export type Outcome = { rate: number; p50: number; p99: number; failures: Record<string, number> }

/**
 * What passes before a measurement begins, in seconds.
 */
const WARM_UP = 0.5

/**
 * Asks for `url` over so many connections, each with one request at a time and the tokens in an
 * order of its own, so that the connections don't send the same token at the same moment.
 *
 * Times every answer by itself: the generator's own histogram counts whole milliseconds.
 */
export async function drive({ url, tokens, connections, seconds }: Load): Promise<Outcome> {
  const requests = tokens.map((token) => ({ headers: { authorization: `Bearer ${token}` } }))
  let clients = 0
  const options: autocannon.Options = {
    url,
    connections,
    duration: WARM_UP + seconds,
    sampleInt: 100,
    timeout: 30,
    setupClient(client) {
      const start = Math.floor((clients++ * requests.length) / connections)
      client.setRequests([...requests.slice(start), ...requests.slice(0, start)])
    },
  }

  const latencies: number[] = []
  const failures: Record<string, number> = {}
  const fail = (kind: string) => (failures[kind] = (failures[kind] ?? 0) + 1)

  const begin = performance.now() + WARM_UP * 1000
  const end = begin + seconds * 1000
  await new Promise((resolve) => {
    autocannon(options, resolve)
      .on('response', (_client, status, _bytes, milliseconds) => {
        const now = performance.now()
        if (now < begin || now > end) return
        if (status === 200) latencies.push(milliseconds)
        else fail(String(status))
      })
      .on('reqError', (error) => fail(error.code ?? error.message))
  })

  const sorted = Float64Array.from(latencies).sort()
  const quantile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return {
    rate: latencies.length / seconds,
    p50: quantile(0.5),
    p99: quantile(0.99),
    failures,
  }
}
