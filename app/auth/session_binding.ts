import type { IncomingMessage } from 'node:http'
import { availableParallelism } from 'node:os'
import {
  InvalidProof,
  normalizeUrl,
  verifyProof,
  type Proof,
  type ProofTarget,
} from '#app/auth/dpop/proof'
import { rememberProof } from '#app/auth/dpop/replay'
import { Semaphore } from '#app/background/semaphore'
import { clientAddress } from '#app/http/client_address'
import { networkOf } from '#app/network'
import { appUrl } from '#config/app'
import env from '#start/env'
import { userAgentOf } from '#app/devices/device'
import type { Credentials } from '#app/auth/bearer'
import sessionsConfig from '#config/sessions'
import { E_INVALID_DPOP_PROOF, E_SESSION_ENDED, E_UNAUTHORIZED_ACCESS } from '#exceptions/errors'
import type { Holder } from '#app/sessions/with_refresh_token'
import { endSession } from '#app/sessions/end'
import { isUsedByOther } from '#app/sessions/policy'
import type { ProvenKey, Session } from '#app/sessions/session'

/**
 * Signatures that are verified at once. The rest wait, fair to networks, so that who sends many
 * holds up themselves.
 */
const verifications = new Semaphore({ total: Math.max(availableParallelism() - 1, 1) }, () =>
  env.get('HASH_QUEUE_LIMIT')
)

/**
 * The addresses under which this service is known: `APP_URL`, or without it the machine itself.
 * Never what the request's `Host` says: a proof made for another service must not pass here.
 */
const origins = env.get('APP_URL')
  ? [appUrl]
  : ['localhost', '127.0.0.1', '[::1]'].map((host) => `http://${host}:${env.get('PORT')}`)

/**
 * The URLs that a proof for this request may name.
 */
function urlsOf(request: IncomingMessage): string[] {
  const path = (request.url ?? '/').split(/[?#]/, 1)[0]
  return origins.map((origin) => normalizeUrl(origin + path))
}

/**
 * The request that a proof is made for. A proxy that asks on behalf of another request names that
 * one's method and URL.
 */
export type BoundRequest = {
  message: IncomingMessage
  method?: string
  urls?: string[]
  /** Throws where the session is not what the request wants. */
  demand?: (session: Session) => void
}

/**
 * Refuses a token that is used by another than its session is bound to: another key (RFC 9449
 * §7.1), or, with `SESSION_BINDING=user_agent`, another family of user agent. An API key has no
 * session and is bound to nothing. For an unbound token this looks at two values in memory, and
 * there is nothing to wait for.
 *
 * Throws `E_UNAUTHORIZED_ACCESS` for the wrong scheme or user agent, `E_INVALID_DPOP_PROOF` for a
 * proof that is missing, wrong or used before, `E_SESSION_ENDED` where a mismatch ends the session.
 */
export function enforceBinding(
  session: Session | null,
  credentials: Credentials,
  request: BoundRequest
): Promise<void> | undefined {
  const bound = session?.keyThumbprint ?? null
  if (bound === null && credentials.scheme === 'DPoP') {
    throw new E_UNAUTHORIZED_ACCESS({ hadToken: true, scheme: 'Bearer' })
  }
  if (!session || (bound === null && sessionsConfig.binding !== 'user_agent')) return undefined
  return demandHolder(session, credentials, request)
}

async function demandHolder(session: Session, credentials: Credentials, request: BoundRequest) {
  const bound = session.keyThumbprint
  if (bound !== null) await demandProof(session, bound, credentials, request)
  await demandUserAgent(session, userAgentOf(request.message))
}

/**
 * The key that a sign-in or a refresh proves to hold; none without a proof. Throws
 * `E_INVALID_DPOP_PROOF` (400 here, RFC 9449 §5) for one that does not hold. The proof is written
 * down by who opens or renews the session, in that transaction: who is refused leaves no row.
 */
async function readKeyProof(message: IncomingMessage): Promise<ProvenKey> {
  const proofs = proofsOf(message)
  if (proofs.length === 0) return { keyThumbprint: null }
  const target = { method: message.method!, urls: urlsOf(message) }
  const proof = await checkProof(message, proofs, target, 400)
  return {
    keyThumbprint: proof.keyThumbprint,
    spendProof: async (trx) => {
      if (!(await rememberProof(proof, trx))) throw usedBefore(400)
    },
  }
}

/**
 * The same of a sign-in. With `SESSION_BINDING=key` there must be one.
 */
export async function readSignInProof(message: IncomingMessage): Promise<ProvenKey> {
  const proven = await readKeyProof(message)
  if (proven.keyThumbprint === null && sessionsConfig.binding === 'key') {
    throw new E_INVALID_DPOP_PROOF(400, 'Send a proof of possession (DPoP) with a sign-in.')
  }
  return proven
}

/**
 * Who presents a refresh token.
 */
export async function readHolder(message: IncomingMessage): Promise<Holder> {
  return { ...(await readKeyProof(message)), userAgent: userAgentOf(message) }
}

/**
 * A proof is spent last: who is refused for another reason may ask with it again, as nginx does to
 * learn that reason.
 */
async function demandProof(
  session: Session,
  bound: string,
  credentials: Credentials,
  request: BoundRequest
) {
  if (credentials.scheme !== 'DPoP') {
    throw new E_UNAUTHORIZED_ACCESS({ hadToken: true, scheme: 'DPoP' })
  }
  const proof = await checkProof(
    request.message,
    proofsOf(request.message),
    {
      method: request.method ?? request.message.method!,
      urls: request.urls ?? urlsOf(request.message),
      accessToken: credentials.token,
    },
    401
  )
  if (proof.keyThumbprint !== bound) {
    throw new E_INVALID_DPOP_PROOF(
      401,
      'The proof is signed by another key than the token is bound to.'
    )
  }
  request.demand?.(session)
  if (!(await rememberProof(proof))) throw usedBefore(401)
}

async function checkProof(
  message: IncomingMessage,
  proofs: string[],
  target: ProofTarget,
  status: 400 | 401
): Promise<Proof> {
  if (proofs.length !== 1) {
    throw new E_INVALID_DPOP_PROOF(status, 'Send one DPoP header with a proof.')
  }
  try {
    const caller = { network: networkOf(clientAddress(message)), account: '' }
    return await verifications.run(() => verifyProof(proofs[0], target), caller)
  } catch (error) {
    if (!(error instanceof InvalidProof)) throw error
    throw new E_INVALID_DPOP_PROOF(status, `${error.message}.`)
  }
}

function usedBefore(status: 400 | 401) {
  return new E_INVALID_DPOP_PROOF(
    status,
    'The proof was used before. Make a new one for each request.'
  )
}

/**
 * Every `DPoP` header: Node joins repeated ones, and more than one must be refused.
 */
function proofsOf({ rawHeaders }: IncomingMessage): string[] {
  const proofs: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index].toLowerCase() === 'dpop') proofs.push(rawHeaders[index + 1])
  }
  return proofs
}

async function demandUserAgent(session: Session, userAgent: string | null) {
  if (!isUsedByOther(session, userAgent)) return
  if (!sessionsConfig.bindingEnds) throw new E_UNAUTHORIZED_ACCESS({ hadToken: true })
  const end = await endSession(session, { reason: 'device_mismatch', actor: 'system' })
  throw new E_SESSION_ENDED(end)
}
