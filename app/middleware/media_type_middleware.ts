import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { E_REQUEST_ENTITY_TOO_LARGE, E_UNSUPPORTED_MEDIA_TYPE } from '#exceptions/errors'

/**
 * The largest body that any route wants, in bytes.
 */
const LARGEST_BODY = 64 * 1024

/**
 * Refuses bodies of other types than the contract's before anything reads them: forms on
 * `/oauth/*`, JSON everywhere else. Methods that carry no body may send none.
 */
export default class MediaTypeMiddleware {
  handle({ request }: HttpContext, next: NextFn) {
    const { headers } = request.request
    const length = headers['content-length']
    const hasBody = headers['transfer-encoding'] !== undefined || (length && length !== '0')
    if (!hasBody) return next()

    const type = headers['content-type']?.split(';', 1)[0].trim().toLowerCase()
    const wanted = request.url().startsWith('/oauth/')
      ? 'application/x-www-form-urlencoded'
      : 'application/json'
    if (type !== wanted) throw new E_UNSUPPORTED_MEDIA_TYPE()
    if (Number(length) > LARGEST_BODY) throw new E_REQUEST_ENTITY_TOO_LARGE()
    return next()
  }
}
