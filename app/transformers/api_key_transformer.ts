import { BaseTransformer } from '#app/http/base_transformer'
import type { ApiKey } from '#app/api_keys/api_key'

export default class ApiKeyTransformer extends BaseTransformer<ApiKey> {
  toObject() {
    const { createdAt, lastUsedAt, expiresAt, ...key } = this.resource
    return {
      ...key,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
      expiresAt: expiresAt?.toISOString() ?? null,
    }
  }

  /**
   * The answer to its creation: the one time that its value is shown.
   */
  withValue(value: string) {
    return { ...this.toObject(), key: value }
  }
}
