import router from '@adonisjs/core/services/router'
import accountsConfig from '#config/accounts'
import { controllers } from '#generated/controllers'
import env from '#start/env'
import { middleware } from '#start/kernel'

const NOT_POST = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']

router
  .group(() => {
    router
      .group(() => {
        router.post('exchange', [controllers.Exchange, 'store'])
        router.post('refresh', [controllers.Refresh, 'store'])
        router.post('logout', [controllers.Logout, 'current'])
        router
          .group(() => {
            router.post('logout-others', [controllers.Logout, 'others'])
            router.post('logout-all', [controllers.Logout, 'all'])
          })
          .use(middleware.auth({ session: true }))
        router.post('email/verify', [controllers.EmailConfirmations, 'store'])
        router.post('email/confirm', [controllers.EmailConfirmations, 'update'])
        if (!accountsConfig.passwordSignIn) return
        router.post('signup', [controllers.Signup, 'store'])
        router.post('login', [controllers.Login, 'store'])
        router
          .post('confirm', [controllers.Confirmations, 'store'])
          .use(middleware.auth({ session: true }))
        router.post('password/forgot', [controllers.PasswordResets, 'store'])
        router.post('password/reset', [controllers.PasswordResets, 'update'])
      })
      .prefix('auth')
      .as('auth')

    router
      .get('account', [controllers.Account, 'show'])
      .use(middleware.auth({ ability: 'account:read' }))
    router
      .group(() => {
        router.patch('account', [controllers.Account, 'update'])
        router.delete('account', [controllers.Account, 'destroy'])
        if (accountsConfig.passwordSignIn) {
          router.put('account/password', [controllers.Passwords, 'update'])
        }
        router
          .put('account/email', [controllers.Emails, 'update'])
          .use(middleware.auth({ fresh: '10m' }))
        router.get('account/events', [controllers.AccountEvents, 'index'])
        router.get('sessions', [controllers.Sessions, 'index'])
        router.get('session/events', [controllers.SessionEvents, 'show'])
        router.patch('sessions/:id', [controllers.Sessions, 'update'])
        router.delete('sessions/:id', [controllers.Sessions, 'destroy'])
        router.get('api-keys', [controllers.ApiKeys, 'index'])
        router
          .post('api-keys', [controllers.ApiKeys, 'store'])
          .use(middleware.auth({ fresh: '10m' }))
        router.delete('api-keys/:id', [controllers.ApiKeys, 'destroy'])
      })
      .use(middleware.auth({ session: true }))

    router
      .group(() => {
        router.get('users', [controllers.admin.Users, 'index'])
        router.post('users', [controllers.admin.Users, 'store'])
        router.get('users/:user', [controllers.admin.Users, 'show'])
        router.patch('users/:user', [controllers.admin.Users, 'update'])
        router.delete('users/:user', [controllers.admin.Users, 'destroy'])
        router.get('users/:user/api-keys', [controllers.admin.UserApiKeys, 'index'])
        router.delete('users/:user/api-keys', [controllers.admin.UserApiKeys, 'destroyAll'])
        router.delete('users/:user/api-keys/:key', [controllers.admin.UserApiKeys, 'destroy'])
        router.get('users/:user/sessions', [controllers.admin.UserSessions, 'index'])
        router.delete('users/:user/sessions', [controllers.admin.UserSessions, 'destroy'])
        router.post('users/:user/disable', [controllers.admin.DisabledUsers, 'store'])
        router.post('users/:user/enable', [controllers.admin.DisabledUsers, 'destroy'])
        router.post('users/:user/support-session', [controllers.admin.SupportSessions, 'store'])
        router.patch('users/:user/limit', [controllers.admin.UserLimits, 'update'])
        router.delete('sessions/:id', [controllers.admin.Sessions, 'destroy'])
        router.post('force-logout', [controllers.admin.ForceLogouts, 'store'])
        router.get('contested', [controllers.admin.ContestedUsers, 'index'])
        router.delete('contested/:user', [controllers.admin.ContestedUsers, 'destroy'])
        router.get('events', [controllers.admin.Events, 'index'])
        router.get('clients', [controllers.admin.Clients, 'index'])
      })
      .prefix('admin')
      .as('admin')
      .use(middleware.admin())

    router
      .group(() => {
        router.post('sessions', [controllers.TrustedSessions, 'store'])
        router.post('sessions/:id/confirm', [controllers.TrustedSessions, 'confirm'])
      })
      .use(middleware.serviceClient({ ability: 'sign_in' }))
    router
      .get('revocations', [controllers.Revocations, 'index'])
      .use(middleware.serviceClient({ ability: 'feed' }))
  })
  .prefix('/api/v1')
  .use(middleware.ownApi())

router.post('oauth/introspect', [controllers.Introspections, 'store'])
router.post('oauth/revoke', [controllers.TokenRevocations, 'store'])
router.get('.well-known/oauth-authorization-server', [controllers.OauthMetadata, 'show'])
router
  .route('oauth/:endpoint', NOT_POST, [controllers.UnsupportedMethods, 'refuse'])
  .where('endpoint', /^(introspect|revoke)$/)
router.any('forward-auth', [controllers.ForwardAuth, 'show'])

router.get('health/live', [controllers.Health, 'live'])
router.get('health/ready', [controllers.Health, 'ready'])
router.get('metrics', [controllers.Metrics, 'show'])
router.get('openapi.json', [controllers.Openapi, 'show'])

if (env.get('WEB_CONSOLE') === 'on') {
  router.get('/', [controllers.Console, 'show'])
  if (accountsConfig.passwordSignIn) {
    router.get('reset-password', [controllers.Console, 'show']).as('console.reset')
  }
  router.get('confirm-email', [controllers.Console, 'show']).as('console.email')
  router.get('console/:file', [controllers.Console, 'asset'])
}
if (env.get('DOCS') === 'on') {
  router.get('docs', [controllers.Docs, 'show'])
  router.get('docs/:file', [controllers.Docs, 'asset'])
}
