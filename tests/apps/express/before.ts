import { DatabaseSync } from 'node:sqlite'
import bcrypt from 'bcrypt'
import express, { type RequestHandler } from 'express'
import { jwtVerify, SignJWT } from 'jose'

/**
 * An API as many teams have it, before it moves over: users with bcrypt hashes in a database of its
 * own, a login that answers with a JWT of 90 days, and a route for whoever shows one.
 */
export function makeApp(old: Config) {
  const app = express()
  const db = new DatabaseSync(old.file)
  const key = new TextEncoder().encode(old.secret)
  app.use(express.json())

  app.post('/login', async ({ body }, response) => {
    const user = db.prepare('SELECT * FROM users WHERE email = ?').get(body.email)
    const right = user && (await bcrypt.compare(body.password, String(user.password_hash)))
    if (!right) return void response.status(401).json({ error: 'Wrong e-mail or password.' })
    const token = new SignJWT({ sub: String(user.id) }).setProtectedHeader({ alg: 'HS256' })
    response.json({ token: await token.setIssuedAt().setExpirationTime('90d').sign(key) })
  })

  const signedIn: RequestHandler = async (request, response, next) => {
    const token = request.get('authorization')?.replace(/^Bearer /, '') ?? ''
    const userId = await jwtVerify(token, key).then(
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
