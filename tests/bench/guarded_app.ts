/*
|--------------------------------------------------------------------------
| A service of the benchmark, behind a guard
|--------------------------------------------------------------------------
|
| node guarded_app.js express|fastify none|jwt|ask|follow
|
*/

import type { IncomingMessage } from 'node:http'
import express from 'express'
import Fastify from 'fastify'
import { jwtVerify } from 'jose'
import { createGuard as guardExpress } from '../../clients/node/src/express.js'
import { createGuard as guardFastify } from '../../clients/node/src/fastify.js'

const [framework, check] = process.argv.slice(2)
const { PORT, LATCHKEY_URL, CLIENT_ID, CLIENT_SECRET, JWT_SECRET } = process.env
const port = Number(PORT)
const options = {
  url: LATCHKEY_URL!,
  mode: check === 'follow' ? ('follow' as const) : ('ask' as const),
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
}
const key = await crypto.subtle.importKey(
  'raw',
  new TextEncoder().encode(JWT_SECRET),
  { name: 'HMAC', hash: 'SHA-256' },
  false,
  ['verify']
)

async function verify({ headers }: IncomingMessage) {
  const token = headers.authorization!.slice('Bearer '.length)
  const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'] })
  return payload.sub
}

const ready = () => void process.send!('ready')
const isGuarded = check === 'ask' || check === 'follow'

if (framework === 'express') {
  const app = express()
  if (isGuarded) app.use(guardExpress(options).requireSession())
  if (check === 'jwt') app.use((request, _, next) => void verify(request).then(() => next(), next))
  app.get('/', (_, response) => void response.json({ ok: true }))
  app.listen(port, '127.0.0.1', ready)
} else {
  const app = Fastify()
  if (isGuarded) app.addHook('onRequest', guardFastify(options).requireSession())
  if (check === 'jwt') app.addHook('onRequest', async (request) => void (await verify(request.raw)))
  app.get('/', async () => ({ ok: true }))
  await app.listen({ port, host: '127.0.0.1' })
  ready()
}
