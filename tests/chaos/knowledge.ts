import {
  mayHaveHappened,
  succeeded,
  tellings,
  type Call,
  type Conditions,
  type Operation,
  type Telling,
} from './history.js'
import { usesOf, type Use } from './uses.js'

/**
 * A session as the history knows it. `deadBy`: it had ended when this call was answered, for that
 * answer says so or means it.
 */
export type KnownSession = {
  id: string
  opening: Call & { end: number; opened: NonNullable<Call['opened']> }
  deadBy?: { at: number; call: Call }
  /** What says that it has ended, and why, the first that was heard first. */
  told: { call: Call & { end: number }; telling: Telling }[]
  /** Calls that found it alive. */
  alive: Call[]
  /** Calls that may count as a use of it, its opening first. */
  uses: Use[]
}

const ENDS_OTHERS: Operation[] = ['logout-others', 'password']
const ENDS_ALL: Operation[] = ['logout-all', 'force-logout', 'force-everyone', 'disable']

/**
 * What the answers of a history mean for each session.
 */
export class Knowledge {
  readonly calls: Call[]
  readonly conditions: Conditions
  readonly sessions = new Map<string, KnownSession>()
  readonly #byUser: Map<string, KnownSession[]>

  constructor(history: Call[], conditions: Conditions) {
    this.calls = [...history].sort((one, other) => one.start - other.start)
    this.conditions = conditions
    const bySession = Map.groupBy(this.calls, ({ session }) => session)
    for (const call of this.calls) {
      if (call.op !== 'login' || !call.opened || call.end === null) continue
      const opening = call as KnownSession['opening']
      const id = call.opened.session
      const uses = usesOf(opening, bySession.get(id) ?? [])
      this.sessions.set(id, { id, opening, told: [], alive: [], uses })
    }
    this.#byUser = Map.groupBy(this.sessions.values(), ({ opening }) => opening.user)
    for (const call of this.calls) this.#learn(call)
    for (const { told } of this.sessions.values()) {
      told.sort((one, other) => one.call.end - other.call.end)
    }
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
    if (call.active === false && own && !mayBeReplaced(own, call)) bury(own, call)
    for (const telling of tellings(call)) {
      const session = this.sessions.get(telling.session)
      session?.told.push({ call: call as Call & { end: number }, telling })
      bury(session, call)
    }
    if (!succeeded(call)) return

    own?.alive.push(call)
    for (const id of call.listed ?? []) this.sessions.get(id)?.alive.push(call)
    for (const id of call.ended ?? []) bury(this.sessions.get(id), call)
    if (call.op === 'logout') bury(own, call)
    if (call.op === 'end-session' || call.op === 'force-session')
      bury(this.sessions.get(call.target ?? ''), call)
    for (const session of this.#endedBySense(call)) bury(session, call)
  }

  /**
   * The sessions that a successful call must have ended, whatever its answer says: all that had
   * been opened before it began.
   */
  #endedBySense(call: Call): KnownSession[] {
    const isLogin = call.op === 'login'
    const endsAll = ENDS_ALL.includes(call.op) || (isLogin && this.conditions.limit === 1)
    const endsOthers = ENDS_OTHERS.includes(call.op)
    const endsPlatform = call.op === 'force-platform'
    if (!endsAll && !endsOthers && !endsPlatform && !(isLogin && call.device)) return []
    return this.sessionsOf(call.user).filter(({ id, opening }) => {
      if (opening === call || opening.end > call.start) return false
      if (endsOthers) return id !== call.session
      if (endsPlatform) return opening.platform === call.platform
      return endsAll || opening.device === call.device
    })
  }
}

/**
 * Whether an access token may be dead because a newer one took its place.
 */
function mayBeReplaced({ uses }: KnownSession, { end }: Call): boolean {
  return uses.some(
    ({ call }) =>
      ['refresh', 'password'].includes(call.op) && mayHaveHappened(call) && call.start < end!
  )
}

function bury(session: KnownSession | undefined, call: Call) {
  if (session && (!session.deadBy || call.end! < session.deadBy.at)) {
    session.deadBy = { at: call.end!, call }
  }
}
