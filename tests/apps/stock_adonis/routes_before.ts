import type { HttpContext } from '@adonisjs/core/http'
import router from '@adonisjs/core/services/router'
import db from '@adonisjs/lucid/services/db'
import User from './user.js'

router.post('/signup', async ({ request }: HttpContext) => {
  const user = await User.create(request.only(['email', 'password']))
  await db.table('orders').insert({ user_id: user.id, item: `of ${user.email}` })
  return { id: user.id }
})

router.post('/login', async ({ request }: HttpContext) => {
  const { email, password } = request.only(['email', 'password'])
  const user = await User.verifyCredentials(email, password)
  const token = await User.accessTokens.create(user)
  return { token: token.value!.release() }
})

router
  .get('/orders', async (ctx: HttpContext) => {
    const user = ctx.auth.user!
    return { orders: await db.from('orders').select('item').where('user_id', user.id) }
  })
  .use(async (ctx, next) => {
    await ctx.auth.authenticate()
    return next()
  })
