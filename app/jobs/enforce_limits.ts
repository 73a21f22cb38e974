import db from '@adonisjs/lucid/services/db'
import { inBatches } from '#app/background/batches'
import User from '#models/user'
import type { Actor } from '#app/event_log/actor'
import { writeDueEnds, endSessions } from '#app/sessions/end'
import { withWrittenUses } from '#app/sessions/last_seen'
import { liveSessionsOf } from '#app/sessions/list'
import { sessionLimitOf, surplusSessions } from '#app/sessions/policy'
import { withUserLock } from '#app/sessions/user_lock'

/**
 * Why, in the log: no newcomer took over, so the reason is `forced`.
 */
const NOTE = 'The session limit was lowered.'

export type Trimmed = { sessions: number; users: number }

/**
 * Applies the limits that are in force to the sessions there are: ends the surplus of each user,
 * least recently seen first, each user in a transaction of its own. With `dryRun` it counts them
 * and ends nothing.
 */
export async function enforceLimits(options: { actor: Actor; dryRun?: boolean }): Promise<Trimmed> {
  const trimmed: Trimmed = { sessions: 0, users: 0 }
  let last = 0
  await inBatches(async (size) => {
    const userIds = await usersWithSeveralSessions({ after: last, count: size })
    for (const userId of userIds) {
      const surplus = options.dryRun
        ? await countSurplus(userId)
        : await endSurplus(userId, options.actor)
      if (surplus > 0) trimmed.users++
      trimmed.sessions += surplus
      last = userId
    }
    return { taken: userIds.length, done: userIds.length }
  })
  return trimmed
}

/**
 * Every limit is at least one, so nobody else can hold too many.
 */
async function usersWithSeveralSessions(page: { after: number; count: number }): Promise<number[]> {
  const found = await db
    .from('sessions')
    .select('user_id')
    .whereNull('ended_at')
    .where('user_id', '>', page.after)
    .groupBy('user_id')
    .havingRaw('count(*) > 1')
    .orderBy('user_id')
    .limit(page.count)
  return found.map((row) => row.user_id)
}

async function countSurplus(userId: number): Promise<number> {
  const user = await User.find(userId)
  if (!user) return 0
  return surplusSessions(await liveSessionsOf(db.connection(), user), sessionLimitOf(user), null)
    .length
}

async function endSurplus(userId: number, actor: Actor): Promise<number> {
  return withUserLock(userId, async (trx, user) => {
    if (!user) return 0
    const live = await withWrittenUses(trx, await writeDueEnds(trx, user.id))
    const surplus = surplusSessions(live, sessionLimitOf(user), null)
    await endSessions(trx, surplus, { reason: 'forced', actor, note: NOTE })
    return surplus.length
  })
}
