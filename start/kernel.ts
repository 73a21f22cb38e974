import router from '@adonisjs/core/services/router'
import server from '@adonisjs/core/services/server'
import env from '#start/env'

/**
 * The error handler is used to convert an exception
 * to a HTTP response.
 */
server.errorHandler(() => import('#exceptions/handler'))

/**
 * The server middleware stack runs middleware on all the HTTP
 * requests, even if there is no route registered for
 * the request URL.
 */
server.use([
  () => import('#middleware/conventions_middleware'),
  () => import('#middleware/count_requests_middleware'),
  ...(env.get('CORS_ORIGINS') === '' ? [] : [() => import('@adonisjs/cors/cors_middleware')]),
  () => import('#middleware/media_type_middleware'),
])

/**
 * The router middleware stack runs middleware on all the HTTP
 * requests with a registered route.
 */
router.use([() => import('@adonisjs/core/bodyparser_middleware')])

/**
 * Named middleware collection must be explicitly assigned to
 * the routes or the routes group.
 */
export const middleware = router.named({
  admin: () => import('#middleware/admin_middleware'),
  auth: () => import('#middleware/auth_middleware'),
  ownApi: () => import('#middleware/own_api_middleware'),
  serviceClient: () => import('#middleware/service_client_middleware'),
})
