import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import { E_NOT_FOUND } from '#exceptions/errors'

const installed = fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json'))

/**
 * The files that the page needs, two of the installed `swagger-ui-dist` and our own.
 */
const ASSETS: Record<string, { type: string; path: string }> = {
  'swagger-ui.css': {
    type: 'text/css; charset=utf-8',
    path: join(dirname(installed), 'swagger-ui.css'),
  },
  'swagger-ui-bundle.js': {
    type: 'text/javascript; charset=utf-8',
    path: join(dirname(installed), 'swagger-ui-bundle.js'),
  },
  'start.js': {
    type: 'text/javascript; charset=utf-8',
    path: app.makePath('resources/docs/start.js'),
  },
}

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
].join('; ')

/**
 * A page to read and try the API, served from the installed package.
 */
export default class DocsController {
  async show({ response, view }: HttpContext) {
    const page = await view.render('docs')
    response
      .header('Content-Security-Policy', CONTENT_SECURITY_POLICY)
      .header('X-Content-Type-Options', 'nosniff')
      .header('Cache-Control', 'no-cache')
      .type('html')
    return page
  }

  async asset({ request, response }: HttpContext) {
    const name: string = request.param('file')
    const asset = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined
    if (!asset) throw new E_NOT_FOUND()
    response
      .header('Content-Type', asset.type)
      .header('X-Content-Type-Options', 'nosniff')
      .header('Cache-Control', 'public, max-age=3600')
    return readFile(asset.path)
  }
}
