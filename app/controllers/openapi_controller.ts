import type { HttpContext } from '@adonisjs/core/http'
import { StaticContent } from '#app/http/static_content'
import { openApiDocument } from '#app/openapi/document'

const DOCUMENT = new StaticContent(
  { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-cache' },
  async () => JSON.stringify(openApiDocument)
)

export default class OpenapiController {
  show(ctx: HttpContext) {
    return DOCUMENT.send(ctx)
  }
}
