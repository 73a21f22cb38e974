import { DatabaseSync } from 'node:sqlite'
import express, { type RequestHandler } from 'express'
import { jwtVerify } from 'jose'

/**
 * The same API while it moves over: it accepts both, and the login is Latchkey's.
 */
export function makeApp({ latchkey, ...old }: Config & { latchkey: Latchkey }) {
  const app = express()
  const db = new DatabaseSync(old.file)
  const key = new TextEncoder().encode(old.secret)
  app.use(express.json())

  const signedIn: RequestHandler = async (request, response, next) => {
    const token = request.get('authorization')?.replace(/^Bearer /, '') ?? ''
    const userId = token.startsWith('oat_')
      ? await askLatchkey(latchkey, token)
      : await jwtVerify(token, key).then(
          ({ payload }) => payload.sub,
          () => undefined
        )
    if (!userId) return void response.status(401).json({ error: 'Please sign in.' })
    response.locals.userId = Number(userId)
    next()
  }

  app.get('/orders', signedIn, (_, response) => {
    const orders = db.prepare('SELECT item FROM orders WHERE user_id = ?')
    response.json({ orders: orders.all(response.locals.userId) })
  })
  return app
}

type Config = { file: string; secret: string }

type Latchkey = { url: string; id: string; secret: string }

/** The id here of whoever holds a token of Latchkey. */
async function askLatchkey({ url, id, secret }: Latchkey, token: string) {
  const answer = await fetch(`${url}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ token, used: 'true' }),
  })
  if (!answer.ok) throw new Error(`Latchkey answered ${answer.status}`)
  const { external_id: userId } = (await answer.json()) as { external_id?: string }
  return userId
}
