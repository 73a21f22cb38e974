import { BaseTransformer } from '#app/http/base_transformer'
import type { ServiceClient } from '#app/service_clients/service_client'

export default class ServiceClientTransformer extends BaseTransformer<ServiceClient> {
  toObject() {
    const { id, name, abilities, createdAt, revokedAt } = this.resource
    return {
      id,
      name,
      abilities,
      createdAt: createdAt.toISOString(),
      revokedAt: revokedAt?.toISOString() ?? null,
    }
  }
}
