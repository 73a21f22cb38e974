import { BaseTransformer } from '#app/http/base_transformer'
import type { DisabledUser } from '#app/accounts/disabled_users'

/**
 * A user who was disabled or enabled, and what that ended. `actingId` is the admin's own id, where one acts.
 */
export default class DisabledUserTransformer extends BaseTransformer<DisabledUser> {
  constructor(
    resource: DisabledUser,
    private actingId?: number
  ) {
    super(resource)
  }

  toObject() {
    const { user, ended, apiKeysEnded } = this.resource
    const { id, email, fullName, role, disabledAt } = user
    return {
      user: { id, email, fullName, role, disabledAt: disabledAt?.toISO() ?? null },
      ended,
      apiKeysEnded,
      endedOwnSession: id === this.actingId && disabledAt !== null,
    }
  }
}
