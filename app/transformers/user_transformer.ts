import { BaseTransformer } from '#app/http/base_transformer'
import type User from '#models/user'

export default class UserTransformer extends BaseTransformer<User> {
  toObject() {
    return this.pick(this.resource, ['id', 'email', 'fullName', 'role', 'createdAt'])
  }
}
