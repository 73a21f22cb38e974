import { BaseTransformer } from '#app/http/base_transformer'
import type User from '#models/user'

export default class UserTransformer extends BaseTransformer<User> {
  toObject() {
    const { id, externalId, email, fullName, locale, role, createdAt } = this.resource
    return { id, externalId, email, fullName, locale, role, createdAt: createdAt.toISO()! }
  }
}
