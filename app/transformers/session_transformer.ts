import { BaseTransformer } from '#app/http/base_transformer'
import { describeSession, type Session } from '#app/sessions/session'

export default class SessionTransformer extends BaseTransformer<Session> {
  constructor(
    resource: Session,
    private currentId?: string
  ) {
    super(resource)
  }

  toObject() {
    return describeSession(this.resource, this.currentId)
  }
}
