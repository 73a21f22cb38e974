import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * Stands in front of a server and passes everything on, but for entries of the feed that are of one
 * type: a fault that is planted.
 */
export async function withoutEntries(server: string, type: string) {
  const proxy = createServer((message, response) => {
    const { method, url, headers } = message
    const asked = request(server + url, { method, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      answer.on('end', () => {
        const body = url!.startsWith('/api/v1/revocations') ? filtered(text, type) : text
        const headersOfAnswer = { ...answer.headers }
        delete headersOfAnswer['content-length']
        delete headersOfAnswer['transfer-encoding']
        response.writeHead(answer.statusCode!, headersOfAnswer).end(body)
      })
      answer.on('error', () => response.destroy())
    })
    asked.on('error', () => response.destroy())
    message.pipe(asked)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close() {
      proxy.close()
      proxy.closeAllConnections()
    },
  }
}

function filtered(text: string, type: string): string {
  const body = JSON.parse(text)
  if (body.data) {
    body.data.revocations = body.data.revocations.filter((entry: any) => entry.type !== type)
  }
  return JSON.stringify(body)
}
