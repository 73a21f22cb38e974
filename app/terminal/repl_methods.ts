import db from '@adonisjs/lucid/services/db'
import { findUser, findUserBySession } from '#app/accounts/find_users'
import { keysLiveOn } from '#app/api_keys/api_key'
import { escapeText } from '#app/terminal/escape'
import { amount } from '#app/terminal/progress_bar'
import { sessionsTable } from '#app/terminal/sessions_table'
import { renderTable } from '#app/terminal/table'
import { verifyToken, type Verdict } from '#app/token_verification/verify_token'
import User from '#models/user'
import {
  forceLogout,
  previewForceLogout,
  type ForceLogoutOrder,
} from '#app/force_logout/force_logout'
import { listSessions, type ListedSession } from '#app/sessions/list'
import { readOrder } from '#validators/force_logout'

/**
 * A user as people name one in the REPL.
 */
export type UserHandle = string | number | User

type Print = (line: string) => void

/**
 * What the REPL offers: each prints what it finds and returns it.
 */
export function replMethods(print: Print = console.log) {
  const width = () => process.stdout.columns
  const printSessions = (sessions: ListedSession[]) => {
    for (const line of sessionsTable(sessions, width())) print(line)
  }

  return {
    /** The user behind an e-mail, an id or `external:ID`; null when there is none. */
    async userBy(reference: string | number): Promise<User | null> {
      const user = await findUser(reference)
      if (!user) print(`There is no user ${escapeText(String(reference))}.`)
      else for (const line of userTable(user, width())) print(line)
      return user
    },

    /** The live sessions of a user, newest sign-in first. */
    async sessions(handle: UserHandle): Promise<ListedSession[]> {
      const user = await userOf(handle)
      const filters = { userIds: [user.id] }
      const found = await listSessions(db.connection(), filters, { order: 'newest' })
      if (found.length === 0) print('There are no live sessions.')
      else printSessions(found)
      return found
    },

    /** Ends the sessions of a user that match, all of them without filters. */
    async forceLogout(handle: UserHandle, options: Record<string, unknown> = {}) {
      const { reason, dryRun, includeApiKeys, ...filters } = await readOrder(options, {})
      const who = [await userOf(handle)]
      const order: ForceLogoutOrder = { who, filters, includeApiKeys, actor: 'repl', note: reason }
      if (dryRun) {
        const preview = await previewForceLogout(order)
        printSessions(preview.sessions)
        print(`Would end ${amount(preview.matched.sessions, 'session')}. Nothing was changed.`)
        return preview
      }
      const result = await forceLogout(order)
      if (result.sessions.length > 0) printSessions(result.sessions)
      print(
        `Ended ${amount(result.ended, 'session')} and ${amount(result.apiKeysEnded, 'API key')}.`
      )
      const left = keysLiveOn(result.apiKeysLeft, 'say { includeApiKeys: true }')
      if (left) print(left)
      return result
    },

    /** Ends one session. Returns whether it was alive. */
    async endSession(id: string, reason?: string): Promise<boolean> {
      const order = await readOrder({ session: id, reason }, {})
      const who = [await findUserBySession(order.session ?? '')]
      const filters = { session: order.session }
      const { ended } = await forceLogout({ who, filters, actor: 'repl', note: order.reason })
      print(ended === 1 ? 'Ended.' : 'It had ended before.')
      return ended === 1
    },

    /** What a token is worth now, without leaving a trace of its use. */
    async whoIs(token: string): Promise<Verdict> {
      const verdict = await verifyToken(String(token), ['access', 'refresh', 'api_key'])
      print(inWords(verdict))
      if (verdict.type !== 'live') return verdict
      const { user, session } = verdict.token
      for (const line of userTable(user, width())) print(line)
      if (session) printSessions([{ ...session, email: user.email, externalId: user.externalId }])
      return verdict
    },
  }
}

async function userOf(handle: UserHandle): Promise<User> {
  const user = handle instanceof User ? handle : await findUser(handle)
  if (!user) throw new Error(`There is no user ${escapeText(String(handle))}.`)
  return user
}

function userTable(user: User, width?: number): string[] {
  const columns = ['ID', 'USER', 'NAME', 'ROLE', 'STATE'].map((heading) => ({ heading }))
  const state = user.isDisabled ? 'disabled' : 'enabled'
  const row = [String(user.id), user.reference, user.fullName ?? '-', user.role, state]
  return renderTable(columns, [row], width)
}

function inWords(verdict: Verdict): string {
  switch (verdict.type) {
    case 'live':
      return `A live ${verdict.token.kind.replace('_', ' ')} token.`
    case 'expired':
      return 'An access token past its time; its session lives on.'
    case 'ended':
      return `Ended: ${verdict.end.reason}, at ${verdict.end.endedAt.toISOString()}.`
    case 'unknown':
      return 'No token of ours.'
  }
}
