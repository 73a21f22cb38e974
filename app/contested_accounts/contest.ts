import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { rows } from '#app/database/sql'
import { afterCommit } from '#app/database/transaction'
import type { Actor } from '#app/event_log/actor'
import { appendEvents } from '#app/event_log/append'
import { contestedAccounts } from '#app/metrics/metrics'
import { toDate, type StoredInstant } from '#models/instant'
import sessionsConfig from '#config/sessions'
import { E_ACCOUNT_CONTESTED } from '#exceptions/errors'

/*
 * Two people who share a password sign each other out all evening where one device is allowed. What
 * tells them from one person with two devices is how often: `SESSION_CONTEST=6/10m` calls an account
 * contested when sign-ins on different devices have superseded each other six times in ten minutes.
 * A device that signs in again does not count, however often it does: with an id it replaces its own
 * session, and without one its user agent stays the same. docs/contested.md has the figures.
 */

/**
 * How many devices of a contest are remembered.
 */
const DEVICES = 10

/**
 * How long the device of a person who passes a cooldown must be known, in milliseconds.
 */
const KNOWN_FOR = 30 * 24 * 60 * 60 * 1000

/**
 * A device of a contest, as far as it said who it is.
 */
export type ContestingDevice = { name: string | null; platform: string | null }

/**
 * What the contest looks like that an account is in, or was in until it was cleared.
 */
export type Contest = {
  userId: number
  devices: ContestingDevice[]
  /** How many sign-ins have superseded another device since `since`. */
  count: number
  since: Date
  lastAt: Date
  refusesUntil: Date | null
  clearedAt: Date | null
}

export type ContestRow = {
  user_id: number
  since: StoredInstant
  last_at: StoredInstant
  count: number
  devices: string
  refuses_until: StoredInstant | null
  cleared_at: StoredInstant | null
}

export function toContest(row: ContestRow): Contest {
  return {
    userId: row.user_id,
    devices: JSON.parse(row.devices),
    count: row.count,
    since: toDate(row.since),
    lastAt: toDate(row.last_at),
    refusesUntil: toDate(row.refuses_until),
    clearedAt: toDate(row.cleared_at),
  }
}

/**
 * Looks whether the account of a sign-in that has just superseded another device is contested. Then
 * the log says so once a contest, and newcomers are refused for `SESSION_CONTEST_COOLDOWN`. For use
 * under the user's lock, with the new session written.
 */
export async function noteContest(trx: TransactionClientContract, userId: number): Promise<void> {
  const { contest: rule, contestCooldown } = sessionsConfig
  if (!rule) return
  const now = clock.now()
  const windowStart = new Date(now.getTime() - rule.windowMs)
  const known = await readContest(trx, userId)
  const from = known?.clearedAt && known.clearedAt > windowStart ? known.clearedAt : windowStart
  const recent = await countTakeovers(trx, userId, from)
  if (recent.count < rule.count) return

  const goesOn = known !== null && !known.clearedAt && known.lastAt > windowStart
  const contest: Contest = {
    userId,
    devices: await readDevices(trx, userId, from),
    count: goesOn ? known.count + 1 : recent.count,
    since: goesOn ? known.since : recent.since,
    lastAt: now,
    refusesUntil: contestCooldown ? new Date(now.getTime() + contestCooldown) : null,
    clearedAt: null,
  }
  await writeContest(trx, contest)
  if (goesOn) return

  const { devices, count, since } = contest
  await appendEvents(trx, [
    {
      type: 'account.contested',
      userId,
      actor: 'system',
      data: { devices, count, since: since.toISOString() },
    },
  ])
  afterCommit(trx, () => contestedAccounts.inc())
}

/**
 * Refuses a sign-in that would end the session of another device while the account is contested.
 * Its owner gets in with `logoutOthers` from a device that they have used for 30 days, which clears
 * it. For use under the user's lock.
 *
 * Throws `E_ACCOUNT_CONTESTED`.
 */
export async function refuseWhileContested(
  trx: TransactionClientContract,
  userId: number,
  signIn: { device: { id: string | null }; logoutOthers?: boolean }
): Promise<void> {
  if (!sessionsConfig.contest) return
  const contest = await readContest(trx, userId)
  if (!contest || contest.clearedAt) return
  if (signIn.logoutOthers && (await isLongKnown(trx, userId, signIn.device.id))) {
    await clearContest(trx, userId, `user:${userId}`)
    return
  }
  const left = (contest.refusesUntil?.getTime() ?? 0) - clock.millis()
  if (left > 0 && sessionsConfig.contestCooldown) {
    throw new E_ACCOUNT_CONTESTED(Math.ceil(left / 1000))
  }
}

/**
 * Ends the contest of an account: what came before counts no more. Returns whether it was contested.
 * For use under the user's lock.
 */
export async function clearContest(
  trx: TransactionClientContract,
  userId: number,
  actor: Actor
): Promise<boolean> {
  const cleared = await rows(
    trx,
    `UPDATE contested_accounts SET cleared_at = ? WHERE user_id = ? AND cleared_at IS NULL
     RETURNING user_id`,
    [clock.now(), userId]
  )
  if (cleared.length === 0) return false
  await appendEvents(trx, [{ type: 'account.contest_cleared', userId, actor }])
  return true
}

async function readContest(
  trx: TransactionClientContract,
  userId: number
): Promise<Contest | null> {
  const [row] = await rows<ContestRow>(trx, 'SELECT * FROM contested_accounts WHERE user_id = ?', [
    userId,
  ])
  return row ? toContest(row) : null
}

/**
 * Ends of sessions that were superseded by another device: by `device.id`, where one of the two has
 * none by user agent. A sign-in that supersedes several counts once.
 */
const TAKEOVERS = `FROM sessions ended JOIN sessions newer ON newer.id = ended.superseded_by
  WHERE ended.user_id = ? AND ended.end_reason = 'superseded' AND ended.ended_at > ?
    AND CASE WHEN ended.device_id IS NOT NULL AND newer.device_id IS NOT NULL
      THEN ended.device_id <> newer.device_id
      ELSE coalesce(ended.user_agent, '') <> coalesce(newer.user_agent, '') END`

async function countTakeovers(
  trx: TransactionClientContract,
  userId: number,
  from: Date
): Promise<{ count: number; since: Date }> {
  const [{ count, since }] = await rows<{ count: number | string; since: StoredInstant | null }>(
    trx,
    `SELECT count(DISTINCT ended.superseded_by) AS count, min(ended.ended_at) AS since ${TAKEOVERS}`,
    [userId, from]
  )
  return { count: Number(count), since: toDate(since) ?? from }
}

/**
 * The devices that took over, the most frequent first.
 */
async function readDevices(
  trx: TransactionClientContract,
  userId: number,
  from: Date
): Promise<ContestingDevice[]> {
  const devices = await rows<ContestingDevice>(
    trx,
    `SELECT newer.device_name AS name, newer.platform ${TAKEOVERS}
     GROUP BY newer.device_name, newer.platform ORDER BY count(*) DESC LIMIT ${DEVICES}`,
    [userId, from]
  )
  return devices.map(({ name, platform }) => ({ name, platform }))
}

async function writeContest(trx: TransactionClientContract, contest: Contest): Promise<void> {
  await rows(
    trx,
    `INSERT INTO contested_accounts
       (user_id, since, last_at, count, devices, refuses_until, cleared_at)
     VALUES (?, ?, ?, ?, ?, ?, NULL)
     ON CONFLICT (user_id) DO UPDATE SET since = excluded.since, last_at = excluded.last_at,
       count = excluded.count, devices = excluded.devices,
       refuses_until = excluded.refuses_until, cleared_at = NULL`,
    [
      contest.userId,
      contest.since,
      contest.lastAt,
      contest.count,
      JSON.stringify(contest.devices),
      contest.refusesUntil,
    ]
  )
}

/**
 * Whether the user has signed in on the device with this id for 30 days or longer.
 */
async function isLongKnown(
  trx: TransactionClientContract,
  userId: number,
  deviceId: string | null
): Promise<boolean> {
  if (deviceId === null) return false
  const [latest] = await rows<{ since: StoredInstant }>(
    trx,
    `SELECT coalesce(device_known_since, created_at) AS since FROM sessions
     WHERE user_id = ? AND device_id = ? ORDER BY seq DESC LIMIT 1`,
    [userId, deviceId]
  )
  return latest !== undefined && toDate(latest.since).getTime() <= clock.millis() - KNOWN_FOR
}
