import { E_VALIDATION_ERROR } from '#exceptions/errors'
import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'
import { inTransaction } from '#app/database/transaction'
import type User from '#models/user'
import { isServiceClient } from '#app/accounts/administrator'
import type { Actor } from '#app/event_log/actor'
import type { Watch } from '#app/background/batches'
import { setWatermarkForEveryone, type WatermarkOptions } from '#app/watermarks/set_watermark'
import { endAllOfUser } from '#app/watermarks/end_all_of_user'
import { endMatchingApiKeys, endMatchingSessions } from '#app/force_logout/end_matching'
import { appendEvents } from '#app/event_log/append'
import { isNarrowed, meansSessionsOnly, type SessionFilters } from '#app/sessions/filters'
import { countEndedBy, countLeft, backfillWatermarks } from '#app/watermarks/backfill'
import { backfillInBackground } from '#app/watermarks/backfill_in_background'
import { countApiKeys, countSessions, listSessions, type ListedSession } from '#app/sessions/list'
import { lockUsers, withUserLock } from '#app/sessions/user_lock'
import { moveValidFrom } from '#app/sessions/valid_from'

/**
 * How many sessions an answer names.
 */
const NAMED = 100

/**
 * With `later`, so few rows are written before the answer nevertheless.
 */
const WRITTEN_BEFORE_ANSWER = 1_000

/**
 * Whose sessions end, which of them, by whom, and why.
 */
export type ForceLogoutOrder = {
  who: User[] | 'everyone'
  filters?: Omit<SessionFilters, 'userIds'>
  includeApiKeys?: boolean
  actor: Actor
  /** What the admin wrote as the reason. For the log, not for the devices. */
  note?: string | null
}

/**
 * How many an order means.
 */
export type MatchCount = { sessions: number; apiKeys: number }

/**
 * What an order would end. `apiKeysLeft`: how many API keys of its users would live on. `sessions`
 * names the first 100, oldest sign-in first.
 */
export type ForceLogoutPreview = {
  matched: MatchCount
  sessions: ListedSession[]
  apiKeysLeft: number
}

/**
 * What a force logout did. `cut` is when a watermark stopped all of it at one commit, where it was
 * that many. `complete` false: the ends of some are still to be written. With a watermark their tokens
 * are dead already; without one they live on. `apiKeysLeft`: how many API keys of its users live on.
 */
export type ForceLogoutResult = {
  ended: number
  apiKeysEnded: number
  apiKeysLeft: number
  sessions: ListedSession[]
  cut: Date | null
  complete: boolean
}

export type ForceLogoutWatch = Watch & {
  /** Called with how many ends are to be written, as soon as that is known. */
  onStart?: (total: number) => void
  /** Called when all tokens have stopped, with the milliseconds that took. */
  onCut?: (cut: { at: Date; took: number }) => void
  /** Returns as soon as all tokens have stopped and writes the rows of very many afterwards. */
  later?: boolean
}

/**
 * What the same order would end now. Changes nothing. Throws as `forceLogout` does.
 */
export async function previewForceLogout(order: ForceLogoutOrder): Promise<ForceLogoutPreview> {
  refuseKeysByDevice(order)
  const client = db.connection()
  const matched = await countMatches(client, order)
  return {
    matched,
    sessions: await listSessions(client, filtersOf(order), { limit: NAMED }),
    apiKeysLeft: (await countLiveKeys(order)) - matched.apiKeys,
  }
}

/**
 * How many sessions, and with `includeApiKeys` API keys, the order means now.
 */
async function countMatches(
  client: QueryClientContract,
  order: ForceLogoutOrder
): Promise<MatchCount> {
  const filters = filtersOf(order)
  return {
    sessions: await countSessions(client, filters),
    apiKeys: order.includeApiKeys ? await countApiKeys(client, filters) : 0,
  }
}

/**
 * Ends the live sessions that the order means, and with `includeApiKeys` the API keys. Once it
 * returns, none of their tokens is accepted any more. A user with very many, and everyone, stop at
 * one commit; the rows follow in batches that hold nobody up. What a run that was killed has left,
 * the next one for everyone takes up.
 */
export async function forceLogout(
  order: ForceLogoutOrder,
  watch: ForceLogoutWatch = {}
): Promise<ForceLogoutResult> {
  const done = await end(order, watch)
  return { ...done, apiKeysLeft: await countLiveKeys(order) }
}

type Done = Omit<ForceLogoutResult, 'apiKeysLeft'>

function end(order: ForceLogoutOrder, watch: ForceLogoutWatch): Promise<Done> {
  refuseKeysByDevice(order)
  if (isNarrowed(order.filters ?? {})) return endMatching(order, watch)
  if (order.who === 'everyone') return endEveryone(order, watch)
  return endUsers(order.who, order, watch)
}

/**
 * How many API keys the users of an order hold, whatever it filters by.
 */
function countLiveKeys({ who }: ForceLogoutOrder): Promise<number> {
  return countApiKeys(db.connection(), filtersOf({ who }))
}

function refuseKeysByDevice({ includeApiKeys, filters = {} }: ForceLogoutOrder) {
  if (!includeApiKeys || !meansSessionsOnly(filters)) return
  throw new E_VALIDATION_ERROR([
    {
      field: 'includeApiKeys',
      rule: 'noDevice',
      message:
        'API keys are on no device: includeApiKeys does not go with session, device or platform.',
    },
  ])
}

async function endEveryone(order: ForceLogoutOrder, watch: ForceLogoutWatch): Promise<Done> {
  const matched = watch.later
    ? await countMatches(db.connection(), order)
    : await countQuickly(order)
  let sessions: ListedSession[] = []

  const began = performance.now()
  const watermark = await setWatermarkForEveryone(watermarkOptionsOf(order), async (trx) => {
    sessions = await listSessions(trx, {}, { limit: NAMED })
    if (sessions.length < NAMED) matched.sessions = sessions.length
    await record(trx, order, null, matched)
  })
  watch.onCut?.({ at: watermark.at, took: performance.now() - began })

  const cut = watermark.at
  if (watch.later && matched.sessions + matched.apiKeys > WRITTEN_BEFORE_ANSWER) {
    backfillInBackground()
    const { sessions: ended, apiKeys: apiKeysEnded } = matched
    return { ended, apiKeysEnded, sessions, cut, complete: false }
  }
  watch.onStart?.(await countLeft())
  const { apiKeysEnded, complete } = await backfillWatermarks(watch)
  return { ended: await countEndedBy(watermark), apiKeysEnded, sessions, cut, complete }
}

/**
 * How many everyone means, from indexes alone: an exact count of very many takes seconds that the
 * watermark would wait for. Sessions that have lapsed without a written end count here.
 */
async function countQuickly({ includeApiKeys }: ForceLogoutOrder): Promise<MatchCount> {
  const [unended] = await db
    .from('sessions')
    .whereNull('ended_at')
    .whereRaw('seq > (SELECT coalesce(max(session_seq), 0) FROM cutoffs WHERE user_id IS NULL)')
    .count('* as total')
  const [keys] = includeApiKeys
    ? await db.from('api_tokens').where('type', 'api_key').count('* as total')
    : []
  return { sessions: Number(unended.total), apiKeys: Number(keys?.total ?? 0) }
}

async function endUsers(
  users: User[],
  order: ForceLogoutOrder,
  watch: ForceLogoutWatch
): Promise<Done> {
  const matched = await countMatches(db.connection(), order)
  watch.onStart?.(matched.sessions + matched.apiKeys)

  const result: Done = {
    ended: 0,
    apiKeysEnded: 0,
    sessions: [],
    cut: null,
    complete: true,
  }
  for (const user of users) {
    if (watch.signal?.aborted) return { ...result, complete: false }
    await endUser(user, order, watch, result)
  }
  return result
}

async function endUser(
  user: User,
  order: ForceLogoutOrder,
  watch: ForceLogoutWatch,
  result: Done
): Promise<void> {
  const began = performance.now()
  const all = await withUserLock(user.id, async (trx, locked) => {
    if (!locked || isSpared(order, locked)) return null
    const ended = await endAllOfUser(trx, locked, watermarkOptionsOf(order))
    await record(trx, order, user.id, { sessions: ended.ended, apiKeys: ended.apiKeysEnded })
    return ended
  })
  if (!all) return

  const { watermark } = all
  result.ended += all.ended
  result.apiKeysEnded += all.apiKeysEnded
  result.sessions.push(...all.sessions.slice(0, NAMED - result.sessions.length))
  if (!watermark) return watch.onProgress?.(all.ended + all.apiKeysEnded)

  watch.onCut?.({ at: watermark.at, took: performance.now() - began })
  result.cut ??= watermark.at
  if (watch.later) {
    backfillInBackground()
    result.complete = false
  } else {
    const { complete } = await backfillWatermarks({ ...watch, only: [watermark.id] })
    result.complete &&= complete
  }
}

/**
 * What filters choose has no highest number, so it ends without a watermark, batch after batch.
 */
async function endMatching(order: ForceLogoutOrder, watch: ForceLogoutWatch): Promise<Done> {
  const filters = filtersOf(order)
  const { matched, sessions } = await previewForceLogout(order)
  const acts =
    order.who === 'everyone' ? [{ userId: null, matched }] : await actsOnEach(order.who, order)
  await inTransaction(async (trx) => {
    await lockUsers(
      trx,
      acts.map((act) => act.userId)
    )
    const spared = await sparedAmong(
      trx,
      order,
      acts.flatMap(({ userId }) => userId ?? [])
    )
    for (const act of acts) {
      if (!spared.has(act.userId)) await record(trx, order, act.userId, act.matched)
    }
  })
  watch.onStart?.(matched.sessions + matched.apiKeys)

  const ending = { reason: 'forced', actor: order.actor, note: order.note } as const
  const ended = await endMatchingSessions(filters, ending, watch)
  const keys = order.includeApiKeys
    ? await endMatchingApiKeys(filters, ending, watch)
    : { done: 0, complete: true }
  return {
    ended: ended.done,
    apiKeysEnded: keys.done,
    sessions,
    cut: null,
    complete: ended.complete && keys.complete,
  }
}

/**
 * One act for each user, so that it stands in the log of each.
 */
function actsOnEach(users: User[], order: ForceLogoutOrder) {
  return Promise.all(
    users.map(async (user) => ({
      userId: user.id,
      matched: await countMatches(db.connection(), { ...order, who: [user] }),
    }))
  )
}

/**
 * Whether the order comes from a service client and means a user who has become an admin since it was
 * allowed: that one is left alone.
 */
function isSpared({ actor }: ForceLogoutOrder, { isAdmin }: User): boolean {
  return isAdmin && isServiceClient(actor)
}

/**
 * The same of several, whose rows the transaction holds.
 */
async function sparedAmong(
  trx: TransactionClientContract,
  { actor }: ForceLogoutOrder,
  userIds: number[]
): Promise<Set<number | null>> {
  if (!isServiceClient(actor)) return new Set()
  const admins = await trx.from('users').whereIn('id', userIds).where('role', 'admin').select('id')
  return new Set(admins.map(({ id }) => Number(id)))
}

function filtersOf({
  who,
  filters,
  actor,
}: Pick<ForceLogoutOrder, 'who' | 'filters'> & { actor?: Actor }): SessionFilters {
  const spareAdmins = actor !== undefined && isServiceClient(actor)
  const meant = { ...filters, ...(spareAdmins && { spareAdmins }) }
  return who === 'everyone' ? meant : { ...meant, userIds: who.map((user) => user.id) }
}

function watermarkOptionsOf({ actor, note, includeApiKeys }: ForceLogoutOrder): WatermarkOptions {
  return { reason: 'forced', actor, note, includeApiKeys: includeApiKeys ?? false }
}

/**
 * The force logout itself goes into the log, with what it matched; each session's end is logged of
 * its own. Credentials of old systems that were issued before end with it.
 */
async function record(
  trx: TransactionClientContract,
  order: ForceLogoutOrder,
  userId: number | null,
  matched: MatchCount
): Promise<void> {
  await moveValidFrom(trx, userId)
  await appendEvents(trx, [
    {
      type: 'force_logout',
      userId,
      reason: 'forced',
      actor: order.actor,
      data: {
        note: order.note ?? null,
        matched: matched.sessions,
        apiKeysMatched: matched.apiKeys,
        everyone: order.who === 'everyone',
        filters: order.filters ?? {},
      },
    },
  ])
}
