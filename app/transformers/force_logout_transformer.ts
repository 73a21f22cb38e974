import { keysLiveOn } from '#app/api_keys/api_key'
import { BaseTransformer } from '#app/http/base_transformer'
import type { AdminForceLogout } from '#app/force_logout/by_admin'
import { describeListedSession } from '#app/sessions/list'

/**
 * What a force logout did, or with `dryRun` would do. `currentId` is the session that asked.
 */
export default class ForceLogoutTransformer extends BaseTransformer<AdminForceLogout> {
  constructor(
    resource: AdminForceLogout,
    private currentId?: string
  ) {
    super(resource)
  }

  toObject() {
    const { ended, apiKeysEnded, apiKeysLeft, sessions } = this.resource
    const { dryRun, endedOwnSession, cut, complete } = this.resource
    return {
      ended,
      apiKeysEnded,
      apiKeysLeft,
      message: keysLiveOn(apiKeysLeft, 'send "includeApiKeys": true'),
      sessions: sessions.map((session) => describeListedSession(session, this.currentId)),
      dryRun,
      endedOwnSession,
      cutAt: cut?.toISOString() ?? null,
      complete,
    }
  }
}
