import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/**
 * What the application counts, in Prometheus's terms. Labels come from fixed sets (routes, codes,
 * reasons), never from what a client sent.
 */
export const registry = new Registry()

collectDefaultMetrics({ register: registry, prefix: 'latchkey_' })

const registers = [registry]

export const requests = new Counter({
  name: 'latchkey_http_requests_total',
  help: 'HTTP requests answered, by method, route and status.',
  labelNames: ['method', 'route', 'status'] as const,
  registers,
})

const checks = new Counter({
  name: 'latchkey_token_checks_total',
  help: 'Tokens checked against the database, by verdict.',
  labelNames: ['verdict'] as const,
  registers,
})

/**
 * One series for each verdict, found once: every request comes through here.
 */
const checksByVerdict = {
  live: checks.labels('live'),
  expired: checks.labels('expired'),
  ended: checks.labels('ended'),
  unknown: checks.labels('unknown'),
}

/**
 * Counts the check of a token by what it found.
 */
export function countVerdict(verdict: keyof typeof checksByVerdict): void {
  checksByVerdict[verdict].inc()
}

export const lookupBatches = new Histogram({
  name: 'latchkey_lookup_batch_size',
  help: 'Distinct tokens that went together in one lookup.',
  buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000],
  registers,
})

export const signIns = new Counter({
  name: 'latchkey_sign_ins_total',
  help: 'Sign-ins, by outcome: opened, or the error code.',
  labelNames: ['outcome'] as const,
  registers,
})

export const contestedAccounts = new Counter({
  name: 'latchkey_accounts_contested_total',
  help: 'Accounts found to be contested (SESSION_CONTEST) by sign-ins on this node.',
  registers,
})

export const sessionEnds = new Counter({
  name: 'latchkey_session_ends_total',
  help: 'Sessions ended on any node, by reason, since this one was first asked. From the log.',
  labelNames: ['reason'] as const,
  registers,
})

export const liveSessions = new Gauge({
  name: 'latchkey_live_sessions',
  help: 'Sessions without a written end, on the whole database.',
  registers,
})

/**
 * Adds the gauge of open event streams, which asks `count` at each scrape.
 */
export function registerOpenStreams(count: () => number): void {
  new Gauge({
    name: 'latchkey_open_streams',
    help: 'Event streams open on this node.',
    registers,
    collect() {
      this.set(count())
    },
  })
}

const queues = new Map<string, () => number>()

new Gauge({
  name: 'latchkey_queue_length',
  help: 'Work that waits on this node, by queue.',
  labelNames: ['queue'] as const,
  registers,
  collect() {
    for (const [queue, length] of queues) this.set({ queue }, length())
  },
})

/**
 * Adds a queue to the gauge of queue lengths, which asks `length` at each scrape.
 */
export function registerQueue(queue: string, length: () => number): void {
  queues.set(queue, length)
}

export const mails = new Counter({
  name: 'latchkey_mails_total',
  help: 'Mails, by outcome: sent, failed (tried again later) or given up.',
  labelNames: ['outcome'] as const,
  registers,
})

export const hashSeconds = new Histogram({
  name: 'latchkey_password_hash_seconds',
  help: 'How long one password hash took, without the time it waited.',
  buckets: [0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2],
  registers,
})
