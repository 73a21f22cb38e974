import type { HttpContext } from '@adonisjs/core/http'
import { pageOfClients } from '#app/service_clients/service_client'
import ServiceClientTransformer from '#transformers/service_client_transformer'
import { pageValidator } from '#validators/listings'

/**
 * The service clients. They are made and revoked by commands alone.
 */
export default class AdminClientsController {
  async index({ request, serialize }: HttpContext) {
    const { page = 1, perPage = 20 } = await pageValidator.validate(request.qs())
    const { clients, meta } = await pageOfClients({ page, perPage })
    return serialize(ServiceClientTransformer.paginate(clients, meta))
  }
}
