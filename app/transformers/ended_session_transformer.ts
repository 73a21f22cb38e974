import { BaseTransformer } from '#app/http/base_transformer'
import { describeEndedSession, type EndedSession } from '#app/sessions/list_ended'

export default class EndedSessionTransformer extends BaseTransformer<EndedSession> {
  toObject() {
    return describeEndedSession(this.resource)
  }
}
