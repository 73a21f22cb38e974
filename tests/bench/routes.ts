import { Authenticator } from '@adonisjs/auth'
import { tokensGuard, tokensUserProvider } from '@adonisjs/auth/access_tokens'
import app from '@adonisjs/core/services/app'
import hash from '@adonisjs/core/services/hash'
import router from '@adonisjs/core/services/router'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { middleware } from '#start/kernel'
import { verifyJwt } from './jwt.js'
import StockUser from './stock_user.js'

/**
 * What each check found out, for the handler to answer with.
 */
type Caller = { id: number; email: string }
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

router
  .group(() => {
    router.get('none', () => answer({ id: 1, email: 'reader1@example.com' }))
    router.get('jwt', answerCaller).use(jwtCheck)
    router.get('stock', answerCaller).use(stockCheck)
    router.get('latchkey', ({ auth }) => answer(auth.getUserOrFail())).use(middleware.auth())

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
