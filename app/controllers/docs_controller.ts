import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import edge from 'edge.js'
import { E_NOT_FOUND } from '#exceptions/errors'
import { staticFile, staticPage } from '#app/http/static_content'

const INSTALLED = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
const CACHED = { 'Cache-Control': 'public, max-age=3600' }

/**
 * The files that the page needs, two of the installed `swagger-ui-dist` and our own.
 */
const ASSETS = new Map(
  [
    join(INSTALLED, 'swagger-ui.css'),
    join(INSTALLED, 'swagger-ui-bundle.js'),
    app.makePath('resources/docs/start.js'),
  ].map((path) => [basename(path), staticFile(path, CACHED)])
)

/**
 * Swagger UI sets styles on elements and draws its icons from data URLs; nothing comes from
 * another host.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]

const PAGE = staticPage(CONTENT_SECURITY_POLICY, () => edge.render('docs'))

/**
 * A page to read and try the API, served from the installed package.
 */
export default class DocsController {
  show(ctx: HttpContext) {
    return PAGE.send(ctx)
  }

  asset(ctx: HttpContext) {
    const asset = ASSETS.get(ctx.request.param('file'))
    if (!asset) throw new E_NOT_FOUND()
    return asset.send(ctx)
  }
}
