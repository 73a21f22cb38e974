import { BY_EMAIL, byEmail, normalizeEmail } from '#models/email_address'
import db from '@adonisjs/lucid/services/db'
import { Semaphore, type Caller } from '#app/background/semaphore'
import { attempt, attemptGuess, bucketOf, SHARED } from '#app/rate_limits/attempt'
import { networkOf } from '#app/network'
import { verifyToken } from '#app/token_verification/verify_token'
import { rateLimits } from '#config/rate_limits'
import env from '#start/env'
import type { RateLimit } from '#start/env_rules'

/*
 * Every kind of work that has a rate limit, and the buckets it is held against. Whoever is over it
 * gets `E_TOO_MANY_REQUESTS` before the work begins.
 */

type Work<Result> = () => Promise<Result>
type CallersWork<Result> = (caller: Caller) => Promise<Result>

/**
 * Attempts that hash a password. Two of one account from one network are tried at once on a node,
 * and twenty of one network; the rest wait their turn. An attempt holds its units until it is known
 * to have succeeded, so without this a burst of good sign-ins would hold more than the limit and
 * refuse each other. More at once would not be faster: their hashes wait for each other.
 */
const hashingAttempts = new Semaphore({ perNetwork: 20, perAccount: 2 }, () =>
  env.get('HASH_QUEUE_LIMIT')
)

function inTurn<Result>(
  limit: RateLimit | null,
  caller: Caller,
  work: Work<Result>
): Promise<Result> {
  return limit ? hashingAttempts.run(work, caller) : work()
}

/**
 * A sign-in by password: so many failures of one account from one network, ten times as many from
 * one network, and ten times as many of one account from everywhere. The last one does not hold
 * for a network from which the account was signed in before, or strangers could lock its owner out.
 * `guess` checks the password, `work` opens the session.
 */
export function limitSignIn<Guess, Result>(
  { email: typed, ip }: { email: string; ip: string },
  guess: CallersWork<Guess>,
  work: (guess: Guess) => Promise<Result>
): Promise<Result> {
  const network = networkOf(ip)
  const email = accountOf(typed)
  const caller = { network, account: email }
  const buckets = () => [
    bucketOf('signIn', 'account_here', [email, network]),
    bucketOf('signIn', 'network', [network], { times: SHARED }),
    bucketOf('signIn', 'account', [email], {
      times: SHARED,
      overruled: () => hasUsedNetwork(typed, network),
    }),
  ]
  return inTurn(rateLimits.signIn, caller, () =>
    attemptGuess(rateLimits.signIn, buckets, () => guess(caller), work)
  )
}

/**
 * A sign-in by a JWT or a token of the old system, whose account is not known before it is verified.
 */
export function limitExchange<Result>(
  { credential, ip }: { credential: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const network = networkOf(ip)
  const buckets = () => [
    bucketOf('signIn', 'account_here', [credential, network]),
    bucketOf('signIn', 'network', [network], { times: SHARED }),
  ]
  return attempt(rateLimits.signIn, buckets, work)
}

/**
 * A password asked for once more within a session: whoever holds a stolen token can't find it out
 * by trying. The count is the session's own, so no other can use it up, and a full one refuses
 * this work and nothing else.
 */
export function limitConfirmation<Result>(
  { sessionId, ip }: { sessionId: string; ip: string },
  work: CallersWork<Result>
): Promise<Result> {
  const caller = { network: networkOf(ip), account: sessionId }
  const buckets = () => [bucketOf('signIn', 'account_here', ['session', sessionId])]
  return inTurn(rateLimits.signIn, caller, () =>
    attempt(rateLimits.signIn, buckets, () => work(caller))
  )
}

/**
 * A sign-up. What fails here asks whether somebody has an account. Of one network those that succeed
 * count too, or it could make accounts without end.
 */
export function limitSignUp<Result>(
  { email, ip }: { email: string; ip: string },
  work: CallersWork<Result>
): Promise<Result> {
  const network = networkOf(ip)
  const caller = { network, account: email }
  const buckets = () => [
    bucketOf('signUp', 'account_here', [email, network]),
    bucketOf('signUp', 'network', [network], { times: SHARED, countsSuccess: true }),
  ]
  return inTurn(rateLimits.signUp, caller, () =>
    attempt(rateLimits.signUp, buckets, () => work(caller))
  )
}

/**
 * A refresh. The account shows in the token alone, so the token stands for it. A token that is or
 * was ours passes what strangers behind the same address have used up, and one whose session
 * lives passes everything: nobody's wrong guesses end a session.
 */
export function limitRefresh<Result>(
  { refreshToken, ip }: { refreshToken: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const verdict = async () => {
    const { type } = await verifyToken(refreshToken, ['refresh'])
    return type
  }
  const buckets = () => [
    bucketOf('refresh', 'account_here', [refreshToken], {
      overruled: async () => ['live', 'expired'].includes(await verdict()),
    }),
    bucketOf('refresh', 'network', [networkOf(ip)], {
      overruled: async () => (await verdict()) !== 'unknown',
    }),
  ]
  return attempt(rateLimits.refresh, buckets, work)
}

/**
 * A request for a link by mail, to an e-mail that anybody may name; also of the user who is signed in,
 * where one asks. Every one counts, for the network it comes from alone: what others ask for elsewhere refuses nobody.
 * The mailbox is spared where the mail is made.
 */
export function limitMailedLink<Result>(
  { email, userId, ip }: { email: string; userId?: number; ip: string },
  work: Work<Result>
): Promise<Result> {
  const asker = userId === undefined ? [] : [`user ${userId}`]
  const buckets = () => [
    ...[accountOf(email), ...asker].map((account) =>
      bucketOf('forgot', 'account_here', [account, networkOf(ip)])
    ),
    bucketOf('forgot', 'network', [networkOf(ip)], { times: SHARED }),
  ]
  return attempt(rateLimits.reset, buckets, work, () => true)
}

/**
 * What the token of a link in a mail does.
 */
export function limitFollowedLink<Result>(
  { token, ip }: { token: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const buckets = () => [
    bucketOf('reset', 'account', [token]),
    bucketOf('reset', 'network', [networkOf(ip)]),
  ]
  return attempt(rateLimits.reset, buckets, work)
}

/**
 * The same for a reset, which hashes a password.
 */
export function limitReset<Result>(
  { token, ip }: { token: string; ip: string },
  work: CallersWork<Result>
): Promise<Result> {
  const caller = { network: networkOf(ip), account: token }
  return inTurn(rateLimits.reset, caller, () =>
    limitFollowedLink({ token, ip }, () => work(caller))
  )
}

/**
 * A question of a service client about a token. Counted are clients that are not who they say they
 * are, and answers that a token is not active, or tokens could be found by trying (RFC 7662 §4).
 */
export function limitIntrospection<Result extends { active: boolean }>(
  { clientId, ip }: { clientId: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const buckets = () => {
    const network = networkOf(ip)
    return [
      bucketOf('introspect', 'account_here', [clientId, network]),
      bucketOf('introspect', 'network', [network], { times: SHARED }),
    ]
  }
  return attempt(rateLimits.introspect, buckets, work, ({ active }) => !active)
}

/**
 * An account as limits count it: however its address is spelt.
 */
function accountOf(email: string): string {
  return normalizeEmail(email) ?? email
}

/**
 * Whether one of the newest 100 sessions of an account, live or ended, was opened from a network.
 */
async function hasUsedNetwork(email: string, network: string): Promise<boolean> {
  const bindings = byEmail(email)
  if (!bindings) return false
  const opened: { ip: string | null }[] = await db
    .from('sessions')
    .join('users', 'users.id', 'sessions.user_id')
    .whereIn('users.id', (user) => user.from('users').whereRaw(BY_EMAIL, bindings).select('id'))
    .orderBy('sessions.seq', 'desc')
    .limit(100)
    .select('sessions.ip')
  return opened.some(({ ip }) => ip !== null && networkOf(ip) === network)
}
