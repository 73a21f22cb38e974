import { readFile } from 'node:fs/promises'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import { E_NOT_FOUND } from '#exceptions/errors'
import env from '#start/env'

/**
 * Everything comes from here and goes nowhere else: no other host's script can read the tokens of
 * the page, and no other page can frame it.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/**
 * The page on which people see and end their sessions. It uses the public API only.
 */
export default class ConsoleController {
  async show({ response, view }: HttpContext) {
    demandConsole()
    const page = await view.render('console', { signUpOpen: env.get('SIGNUP') === 'open' })
    response
      .header('Content-Security-Policy', CONTENT_SECURITY_POLICY)
      .header('Referrer-Policy', 'no-referrer')
      .header('X-Content-Type-Options', 'nosniff')
      .header('Cache-Control', 'no-cache')
      .type('html')
    return page
  }

  async asset({ request, response }: HttpContext) {
    demandConsole()
    const name: string = request.param('file')
    const type = TYPES[/^[a-z]+\.(js|css|svg)$/.exec(name)?.[1] ?? '']
    const content =
      type && (await readFile(app.makePath('resources/console', name)).catch(() => null))
    if (!content) throw new E_NOT_FOUND()
    response
      .header('Content-Type', type)
      .header('X-Content-Type-Options', 'nosniff')
      .header('Cache-Control', 'no-cache')
      .header('Content-Security-Policy', "default-src 'none'")
    return content
  }
}

/**
 * `WEB_CONSOLE=off`: there is no such page.
 */
function demandConsole() {
  if (env.get('WEB_CONSOLE') === 'off') throw new E_NOT_FOUND()
}
