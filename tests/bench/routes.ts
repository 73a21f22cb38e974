import { Authenticator } from '@adonisjs/auth'
import { tokensGuard, tokensUserProvider } from '@adonisjs/auth/access_tokens'
import app from '@adonisjs/core/services/app'
import hash from '@adonisjs/core/services/hash'
import router from '@adonisjs/core/services/router'
import db from '@adonisjs/lucid/services/db'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import User from '#models/user'
import { SESSION_COLUMNS, toSession } from '#app/sessions/session'
import { middleware } from '#start/kernel'
import SessionTransformer from '#transformers/session_transformer'
import UserTransformer from '#transformers/user_transformer'
import { verifyJwt } from './jwt.js'
import StockUser from './stock_user.js'

/**
 * What each check found out, for the handler to answer with.
 */
type Caller = { id: number; email: string | null }
const callers = new WeakMap<HttpContext, Caller>()

const stockGuard = await tokensGuard({
  provider: tokensUserProvider({
    tokens: 'accessTokens',
    model: async () => ({ default: StockUser }),
  }),
}).resolver('stock', app)

/**
 * The stock guard behind the framework's own authenticator, as its auth middleware calls it.
 */
async function stockCheck(ctx: HttpContext, next: NextFn) {
  const auth = new Authenticator(ctx, {
    default: 'stock',
    guards: { stock: (context: HttpContext) => stockGuard(context) },
  })
  const user = await auth.authenticateUsing(['stock'])
  callers.set(ctx, user)
  return next()
}

async function jwtCheck(ctx: HttpContext, next: NextFn) {
  const [, token] = ctx.request.header('authorization')!.split(' ')
  callers.set(ctx, await verifyJwt(token))
  return next()
}

const answer = ({ id, email }: Caller) => ({ data: { id, email } })
const answerCaller = (ctx: HttpContext) => answer(callers.get(ctx)!)

/**
 * One of the readers and the session that stands behind the reader's token, read once for the route
 * that reads nothing.
 */
const reader = await User.findByOrFail('email', 'reader0@example.com')
const readerSession = toSession(
  await db
    .from('sessions')
    .select(...SESSION_COLUMNS)
    .where('user_id', reader.id)
    .firstOrFail()
)

router
  .group(() => {
    router.get('none', () => answer({ id: 1, email: 'reader1@example.com' }))
    router.get('jwt', answerCaller).use(jwtCheck)
    router.get('stock', answerCaller).use(stockCheck)
    router.get('latchkey', ({ auth }) => answer(auth.getUserOrFail())).use(middleware.auth())

    /**
     * The answer of `GET /api/v1/account` to whoever asks: what that route costs without its check.
     */
    router.get('account-unchecked', ({ serialize }) =>
      serialize({
        user: UserTransformer.transform(reader),
        session: SessionTransformer.transform(readerSession, readerSession.id),
      })
    )

    /**
     * How long one bare verification of a password takes in this process, in milliseconds.
     */
    router.post('hash', async ({ request }) => {
      const { hashed, password } = request.body()
      const begun = performance.now()
      const matches = await hash.verify(hashed, password)
      return { matches, milliseconds: performance.now() - begun }
    })
  })
  .prefix('/bench')
