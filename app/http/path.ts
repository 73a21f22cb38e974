import type { HttpRequest } from '@adonisjs/core/http'

/**
 * The one spelling of a request's path: without empty parts, and decoded, so that `//forward-auth`,
 * `/forward-auth/` and `/%66orward-auth` are the same. Whatever decides by path asks here, or it would
 * decide otherwise than the router or a proxy.
 */
export function pathOf(request: HttpRequest): string {
  const parts = request
    .url()
    .split('/')
    .filter((part) => part !== '')
  return `/${parts.map(decoded).join('/')}`
}

/**
 * What is no UTF-8 is refused before it reaches a route.
 */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
