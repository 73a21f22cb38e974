import { succeeded, type Call, type Operation } from './history.js'

/**
 * A session as the history knows it. `deadBy`: it had ended when this call was answered, for that
 * answer says so or means it.
 */
export type KnownSession = {
  id: string
  opening: Call & { end: number; opened: NonNullable<Call['opened']> }
  deadBy?: { at: number; call: Call }
  /** Calls that found it alive. */
  alive: Call[]
}

const ENDS_OTHERS: Operation[] = ['logout-others', 'password']
const ENDS_ALL: Operation[] = ['logout-all', 'force-logout', 'force-everyone', 'disable']

/**
 * What the answers of a history mean for each session.
 */
export class Knowledge {
  readonly calls: Call[]
  readonly limit: number
  readonly sessions = new Map<string, KnownSession>()
  readonly #byUser: Map<string, KnownSession[]>

  constructor(history: Call[], limit: number) {
    this.calls = [...history].sort((one, other) => one.start - other.start)
    this.limit = limit
    for (const call of this.calls) {
      if (call.op !== 'login' || !call.opened || call.end === null) continue
      const opening = call as KnownSession['opening']
      this.sessions.set(call.opened.session, { id: call.opened.session, opening, alive: [] })
    }
    this.#byUser = Map.groupBy(this.sessions.values(), ({ opening }) => opening.user)
    for (const call of this.calls) this.#learn(call)
  }

  /**
   * The sessions of a user, or of everyone (`*`), in the order in which they were asked for.
   */
  sessionsOf(user: string): KnownSession[] {
    return user === '*' ? [...this.sessions.values()] : (this.#byUser.get(user) ?? [])
  }

  get users(): string[] {
    return [...this.#byUser.keys()]
  }

  #learn(call: Call) {
    if (call.end === null) return
    const own = this.sessions.get(call.session ?? '')
    if (call.code === 'E_SESSION_ENDED' || call.code === 'E_REFRESH_TOKEN_REUSED') bury(own, call)
    if (!succeeded(call)) return

    own?.alive.push(call)
    for (const id of call.listed ?? []) this.sessions.get(id)?.alive.push(call)
    for (const id of call.ended ?? []) bury(this.sessions.get(id), call)
    if (call.op === 'logout') bury(own, call)
    if (call.op === 'end-session') bury(this.sessions.get(call.target ?? ''), call)
    for (const session of this.#endedBySense(call)) bury(session, call)
  }

  /**
   * The sessions that a successful call must have ended, whatever its answer says: all that had
   * been opened before it began.
   */
  #endedBySense(call: Call): KnownSession[] {
    const isLogin = call.op === 'login'
    const endsAll = ENDS_ALL.includes(call.op) || (isLogin && this.limit === 1)
    const endsOthers = ENDS_OTHERS.includes(call.op)
    if (!endsAll && !endsOthers && !(isLogin && call.device)) return []
    return this.sessionsOf(call.user).filter(({ id, opening }) => {
      if (opening === call || opening.end > call.start) return false
      if (endsOthers) return id !== call.session
      return endsAll || opening.device === call.device
    })
  }
}

function bury(session: KnownSession | undefined, call: Call) {
  if (session && (!session.deadBy || call.end! < session.deadBy.at)) {
    session.deadBy = { at: call.end!, call }
  }
}
