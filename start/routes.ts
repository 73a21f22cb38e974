import router from '@adonisjs/core/services/router'
import { controllers } from '#generated/controllers'
import { middleware } from '#start/kernel'

router
  .group(() => {
    router
      .group(() => {
        router
          .group(() => {
            router.post('signup', [controllers.Signup, 'store'])
            router.post('login', [controllers.Login, 'store'])
            router.post('exchange', [controllers.Exchange, 'store'])
          })
          .use(middleware.keyProof())
        router
          .group(() => {
            router.post('logout', [controllers.Logout, 'current'])
            router.post('logout-others', [controllers.Logout, 'others'])
            router.post('logout-all', [controllers.Logout, 'all'])
          })
          .use(middleware.auth({ session: true }))
      })
      .prefix('auth')
      .as('auth')

    router.get('account', [controllers.Account, 'show']).use(middleware.auth())
    router.get('sessions', [controllers.Sessions, 'index']).use(middleware.auth({ session: true }))
  })
  .prefix('/api/v1')

router.get('health/live', [controllers.Health, 'live'])
router.get('health/ready', [controllers.Health, 'ready'])
router.get('metrics', [controllers.Metrics, 'show'])
