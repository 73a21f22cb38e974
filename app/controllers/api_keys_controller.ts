import type { HttpContext } from '@adonisjs/core/http'
import { createApiKey } from '#app/api_keys/create_api_key'
import { deleteApiKey } from '#app/api_keys/end_api_keys'
import { keyIdOf, listApiKeys } from '#app/api_keys/api_key'
import ApiKeyTransformer from '#transformers/api_key_transformer'
import { apiKeyValidator } from '#validators/api_keys'

export default class ApiKeysController {
  async index({ auth, serialize }: HttpContext) {
    const keys = await listApiKeys(auth.getUserOrFail())
    return serialize(ApiKeyTransformer.transform(keys))
  }

  async store({ auth, request, response, serialize }: HttpContext) {
    const wanted = await apiKeyValidator.validate(request.body())
    const { value, apiKey } = await createApiKey(auth.getSessionOrFail(), wanted)
    response.status(201).header('Cache-Control', 'no-store')
    return serialize(new ApiKeyTransformer(apiKey).withValue(value))
  }

  async destroy({ auth, params, response }: HttpContext) {
    await deleteApiKey(auth.getSessionOrFail(), keyIdOf(params.id))
    response.noContent()
  }
}
