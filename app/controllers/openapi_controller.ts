import type { HttpContext } from '@adonisjs/core/http'
import { openApiDocument } from '#app/openapi/document'

export default class OpenapiController {
  async show({ response }: HttpContext) {
    response.header('Cache-Control', 'no-cache')
    return openApiDocument
  }
}
