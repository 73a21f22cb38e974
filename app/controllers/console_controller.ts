import { readdirSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import edge from 'edge.js'
import { E_NOT_FOUND } from '#exceptions/errors'
import { staticFile, staticPage } from '#app/http/static_content'
import accountsConfig from '#config/accounts'
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
]

const PAGE = staticPage(CONTENT_SECURITY_POLICY, () =>
  edge.render('console', {
    passwordSignIn: accountsConfig.passwordSignIn,
    signUpOpen: accountsConfig.passwordSignIn && env.get('SIGNUP') === 'open',
  })
)

const ASSETS = new Map(
  readdirSync(app.makePath('resources/console')).map((name) => [
    name,
    staticFile(app.makePath('resources/console', name), {
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': "default-src 'none'",
    }),
  ])
)

/**
 * The page on which people see and end their sessions. It uses the public API only.
 */
export default class ConsoleController {
  show(ctx: HttpContext) {
    return PAGE.send(ctx)
  }

  asset(ctx: HttpContext) {
    const asset = ASSETS.get(ctx.request.param('file'))
    if (!asset) throw new E_NOT_FOUND()
    return asset.send(ctx)
  }
}
