import { verifyToken } from '#app/token_verification/verify_token'
import { rateLimits } from '#config/limiter'
import { attempt, attemptGuess } from '#app/rate_limits/attempt'
import { bucket, SHARED } from '#app/rate_limits/buckets'
import { KeyedSemaphore } from '#app/rate_limits/semaphore'
import { networkOf } from '#app/rate_limits/network'
import { usesNetwork } from '#app/rate_limits/known_networks'
import env from '#start/env'

/*
 * Every kind of work that has a rate limit, and what it is held against. Whoever is over it gets
 * `E_TOO_MANY_REQUESTS` before the work begins.
 */

type Work<Result> = () => Promise<Result>

/**
 * Two sign-ins of one account from one network are tried at once on a node, and twenty of one
 * network; the rest wait their turn. More would not be faster: their hashes wait for each other.
 */
const accountLine = new KeyedSemaphore(2, () => env.get('HASH_QUEUE_LIMIT'))
const networkLine = new KeyedSemaphore(20, () => env.get('HASH_QUEUE_LIMIT'))

/**
 * A sign-in by password: so many failures of one account from one network, ten times as many from
 * one network, and ten times as many of one account from everywhere. The last one does not hold
 * for a network from which the account was signed in before, or strangers could lock its owner out.
 * `guess` looks into the password, `work` opens the session.
 */
export async function limitSignIn<Guess, Result>(
  { email, ip }: { email: string; ip: string },
  guess: Work<Guess>,
  work: (guess: Guess) => Promise<Result>
): Promise<Result> {
  const limit = rateLimits.signIn
  if (!limit) return work(await guess())
  const network = networkOf(ip)
  const here = bucket('signIn', 'account_here', [email, network])
  const everyone = bucket('signIn', 'network', [network], { times: SHARED })
  const anywhere = bucket('signIn', 'account', [email], {
    times: SHARED,
    overruled: () => usesNetwork(email, network),
  })
  return accountLine.run(here.key, () =>
    networkLine.run(everyone.key, () =>
      attemptGuess(limit, [here, everyone, anywhere], 'failed', guess, work)
    )
  )
}

/**
 * A sign-in by a token of the old system, whose account is not known before it is verified.
 */
export async function limitExchange<Result>(
  { jwt, ip }: { jwt: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.signIn
  if (!limit) return work()
  const network = networkOf(ip)
  const one = bucket('signIn', 'account_here', [jwt, network])
  const everyone = bucket('signIn', 'network', [network], { times: SHARED })
  return attempt(limit, [one, everyone], 'failed', work)
}

/**
 * A password asked for once more within a session: whoever holds a stolen token can't find it out
 * by trying. The count is the session's own, so no other can use it up, and a full one refuses
 * this work and nothing else.
 */
export async function limitConfirmation<Result>(
  { sessionId }: { sessionId: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.signIn
  if (!limit) return work()
  const session = bucket('signIn', 'account_here', ['session', sessionId])
  return accountLine.run(session.key, () => attempt(limit, [session], 'failed', work))
}

/**
 * A sign-up. What fails here asks whether somebody has an account.
 */
export async function limitSignUp<Result>(
  { email, ip }: { email: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.signUp
  if (!limit) return work()
  const network = networkOf(ip)
  const here = bucket('signUp', 'account_here', [email, network])
  const everyone = bucket('signUp', 'network', [network], { times: SHARED })
  return networkLine.run(everyone.key, () => attempt(limit, [here, everyone], 'failed', work))
}

/**
 * A refresh. The account shows in the token alone, so the token stands for it. A token that is or
 * was ours passes what strangers behind the same address have used up, and one whose session
 * lives passes everything: nobody's wrong guesses end a session.
 */
export async function limitRefresh<Result>(
  { refreshToken, ip }: { refreshToken: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.refresh
  if (!limit) return work()
  const verdict = async () => {
    const { type } = await verifyToken(refreshToken, ['refresh'])
    return type
  }
  const one = bucket('refresh', 'account_here', [refreshToken], {
    overruled: async () => ['live', 'expired'].includes(await verdict()),
  })
  const everyone = bucket('refresh', 'network', [networkOf(ip)], {
    overruled: async () => (await verdict()) !== 'unknown',
  })
  return attempt(limit, [one, everyone], 'failed', work)
}

/**
 * The wish for a reset link. Every one counts, or the mailbox behind the address would pay for it.
 */
export async function limitForgot<Result>(
  { email, ip }: { email: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.reset
  if (!limit) return work()
  const account = bucket('forgot', 'account', [email])
  const everyone = bucket('forgot', 'network', [networkOf(ip)], { times: SHARED })
  return attempt(limit, [account, everyone], 'always', work)
}

/**
 * A reset by the token of a link.
 */
export async function limitReset<Result>(
  { token, ip }: { token: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.reset
  if (!limit) return work()
  const one = bucket('reset', 'account', [token])
  const everyone = bucket('reset', 'network', [networkOf(ip)])
  return networkLine.run(everyone.key, () => attempt(limit, [one, everyone], 'failed', work))
}

/**
 * A question of a service client about a token. Counted are clients that are not who they say they
 * are, and answers that a token is not active, or tokens could be found by trying (RFC 7662 §4).
 */
export async function limitIntrospection<Result extends { active: boolean }>(
  { clientId, ip }: { clientId: string; ip: string },
  work: Work<Result>
): Promise<Result> {
  const limit = rateLimits.introspect
  if (!limit) return work()
  const network = networkOf(ip)
  const here = bucket('introspect', 'account_here', [clientId, network])
  const everyone = bucket('introspect', 'network', [network], { times: SHARED })
  return attempt(limit, [here, everyone], ({ active }) => !active, work)
}
