import { BaseTransformer } from '#app/http/base_transformer'
import type { ListedUser } from '#app/accounts/find_users'

/**
 * A user as admins see one.
 */
export default class AdminUserTransformer extends BaseTransformer<ListedUser> {
  toObject() {
    const { user, liveSessions } = this.resource
    return {
      id: user.id,
      externalId: user.externalId,
      email: user.email,
      emailVerified: user.isEmailVerified,
      fullName: user.fullName,
      role: user.role,
      sessionLimit: user.sessionLimit,
      liveSessions,
      createdAt: user.createdAt.toISO()!,
      disabledAt: user.disabledAt?.toISO() ?? null,
    }
  }
}
