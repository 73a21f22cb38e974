import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { pathOf } from '#app/http/path'
import { E_REQUEST_ENTITY_TOO_LARGE, E_UNSUPPORTED_MEDIA_TYPE } from '#exceptions/errors'

/**
 * The largest body that any route wants, in bytes.
 */
const LARGEST_BODY = 64 * 1024

/**
 * What says that there is a body, and of which kind.
 */
const BODY_HEADERS = ['content-type', 'content-length', 'transfer-encoding'] as const

/**
 * Refuses compressed bodies, which could be huge when unpacked, and bodies of other types than the contract's before anything reads them: forms on
 * `/oauth/*`, JSON everywhere else. Methods that carry no body may send none. Forward auth is asked
 * with the headers of another request and looks at no body, so there nothing reads one.
 */
export default class MediaTypeMiddleware {
  handle({ request }: HttpContext, next: NextFn) {
    const { headers } = request.request
    if (pathOf(request) === '/forward-auth') {
      for (const name of BODY_HEADERS) delete headers[name]
      return next()
    }
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new E_UNSUPPORTED_MEDIA_TYPE('Send the body as it is, without Content-Encoding.')
    }
    const length = headers['content-length']
    const hasBody = headers['transfer-encoding'] !== undefined || (length && length !== '0')
    if (!hasBody) return next()

    const type = headers['content-type']?.split(';', 1)[0].trim().toLowerCase()
    const wanted = pathOf(request).startsWith('/oauth/')
      ? 'application/x-www-form-urlencoded'
      : 'application/json'
    if (type !== wanted) throw new E_UNSUPPORTED_MEDIA_TYPE()
    if (Number(length) > LARGEST_BODY) throw new E_REQUEST_ENTITY_TOO_LARGE()
    return next()
  }
}
