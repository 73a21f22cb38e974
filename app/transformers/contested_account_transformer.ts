import { BaseTransformer } from '#app/http/base_transformer'
import type { ContestedAccount } from '#app/accounts/contested'

/**
 * A contested account as admins see one.
 */
export default class ContestedAccountTransformer extends BaseTransformer<ContestedAccount> {
  toObject() {
    const { user, contest } = this.resource
    return {
      user: { id: user.id, email: user.email, fullName: user.fullName },
      devices: contest.devices,
      count: contest.count,
      since: contest.since.toISOString(),
      lastAt: contest.lastAt.toISOString(),
      refusesUntil: contest.refusesUntil?.toISOString() ?? null,
    }
  }
}
