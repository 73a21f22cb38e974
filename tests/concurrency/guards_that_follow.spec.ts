import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import { Guard } from '../../clients/node/src/guard.js'
import { forceLogout } from '#app/force_logout/force_logout'
import sessionsConfig from '#config/sessions'
import User from '#models/user'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { withoutEntries } from '#tests/harness/filtered_feed'
import { THOROUGH } from '#tests/harness/pace'
import { keepPolicy } from '#tests/harness/policy'
import { backUp } from '#tests/harness/restored_database'
import { startServer, startServers, type TestServer } from '#tests/harness/server'
import { makeClient } from '#tests/harness/service_clients'
import { Random } from '../chaos/random.js'

const LONG = process.env.LONG === '1'
const CALLS = LONG ? 100_000 : THOROUGH ? 10_000 : 4_000
const USERS = 10
const STALENESS = 2_000

/** The share of calls that change something. */
const CHANGES = 0.03

type Held = {
  sessionId: string
  token: string
  refreshToken: string
  /** When the answer that ended it had arrived; null while it lives. */
  endedAt: number | null
}

class Account {
  held: Held[] = []
  /** Grows when a change begins and when it is known: what is asked across one is not judged. */
  version = 0
  password = PASSWORD
  #queue: Promise<unknown> = Promise.resolve()

  constructor(readonly id: number) {}

  get live() {
    return this.held.filter(({ endedAt }) => endedAt === null)
  }

  /** One change at a time. */
  change<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#queue.then(async () => {
      this.version++
      try {
        return await work()
      } finally {
        this.version++
      }
    })
    this.#queue = done.catch(() => {})
    return done
  }

  /** A refresh after a restore may give tokens that were given before. */
  hold(sessionId: string, { token, refreshToken }: Pick<Held, 'token' | 'refreshToken'>) {
    this.held = this.held.filter((held) => held.token !== token)
    this.held.push({ sessionId, token, refreshToken, endedAt: null })
  }

  end(which: (held: Held) => boolean = () => true) {
    for (const held of this.live) if (which(held)) held.endedAt = performance.now()
  }
}

/**
 * Two nodes, two services that guard by following, and what their users do, with a model of which token
 * lives. What a service lets pass is held against the model.
 */
class Run {
  readonly accounts: Account[] = []
  readonly late: number[] = []
  readonly wrong: string[] = []
  readonly counts: Record<string, number> = {}
  guards: Guard[] = []

  constructor(
    readonly servers: TestServer[],
    readonly random: Random,
    readonly guardOf: (service: number) => Guard
  ) {}

  async begin() {
    for (let count = 0; count < USERS; count++) {
      const user = await makeUser()
      this.accounts.push(new Account(user.id))
    }
    this.guards = [0, 1].map((service) => this.guardOf(service))
    for (const account of this.accounts) await this.signIn(account)
  }

  /** So many calls, and on until it is over. */
  async work(calls: number, isOver: () => boolean) {
    for (let call = 0; call < calls || !isOver(); call++) {
      await sleep(this.random.next() < 0.5 ? 0 : 1)
      const account = this.random.pick(this.accounts)
      if (this.random.next() < CHANGES) await this.change(account)
      else await this.check(account)
    }
  }

  async check(account: Account) {
    const isAboutDead = this.random.next() < 0.1
    const held = this.random.pick(isAboutDead ? account.held.slice(-20) : account.live)
    if (!held) return
    const guard = this.random.pick(this.guards)
    const { version } = account
    const { endedAt } = held
    const began = performance.now()
    const outcome = await guard.check(
      {
        authorization: [`Bearer ${held.token}`],
        dpop: [],
        userAgent: 'tests',
        method: 'GET',
        path: '/',
      },
      { maxAge: null, abilities: [] }
    )
    const status = 'identity' in outcome ? 200 : outcome.refusal.status
    this.count(`${endedAt === null ? 'live' : 'dead'} ${status}`)
    if (status === 200 && endedAt !== null) {
      this.late.push(began - endedAt)
      if (began - endedAt > STALENESS) {
        this.wrong.push(`passed ${Math.round(began - endedAt)} ms after its end was answered`)
      }
    }
    const isSteady = version === account.version && version % 2 === 0
    if (status === 401 && endedAt === null && isSteady) this.wrong.push('refused while it lived')
    if (status !== 200 && status !== 401 && status !== 503) this.wrong.push(`answered ${status}`)
  }

  async change(account: Account) {
    const chosen = this.random.next()
    await account.change(async () => {
      const [current] = account.live
      if (!current || chosen < 0.3) return this.signIn(account)
      if (chosen < 0.65) return this.refresh(account, this.random.pick(account.live))
      if (chosen < 0.75)
        return this.post(account, 'auth/logout', current, (held) => held === current)
      if (chosen < 0.82) {
        return this.post(account, 'auth/logout-others', current, (held) => held !== current)
      }
      if (chosen < 0.88) return this.post(account, 'auth/logout-all', current)
      if (chosen < 0.92) return this.changePassword(account, current)
      return this.forceOut(account)
    })
  }

  async signIn(account: Account) {
    const user = await User.findOrFail(account.id)
    const { tokens, session, endedSessions } = await signIn(user, { userAgent: 'tests' })
    this.count('sign-in')
    const evicted = endedSessions.map(({ session: ended }) => ended.id)
    account.end(({ sessionId }) => evicted.includes(sessionId))
    account.hold(session.id, { token: tokens.token, refreshToken: tokens.refreshToken! })
  }

  async refresh(account: Account, held: Held) {
    const answer = await this.ask('POST', 'auth/refresh', null, { refreshToken: held.refreshToken })
    if (answer?.status !== 200) return this.forceOut(account)
    this.count('refresh')
    account.end((one) => one === held)
    account.hold(held.sessionId, answer.body.data)
  }

  async post(account: Account, path: string, by: Held, ends: (held: Held) => boolean = () => true) {
    const answer = await this.ask('POST', path, by.token)
    if (!answer || answer.status >= 300) return this.forceOut(account)
    this.count(path)
    account.end(ends)
  }

  async changePassword(account: Account, by: Held) {
    const password = `${PASSWORD} ${this.random.next()}`
    const change = { currentPassword: account.password, password }
    const answer = await this.ask('PUT', 'account/password', by.token, change)
    if (answer?.status !== 200) return this.forceOut(account)
    this.count('password change')
    account.password = password
    account.end()
    account.hold(by.sessionId, answer.body.data)
  }

  /** Also where it is not known what became of a change: then all of it has ended. */
  async forceOut(account: Account) {
    await forceLogout({ who: [await User.findOrFail(account.id)], actor: 'system' })
    this.count('forced out')
    account.end()
  }

  /** Everyone out, while nobody changes anything. */
  everyone() {
    return this.alone(async () => {
      await forceLogout({ who: 'everyone', actor: 'system' })
      this.count('everyone out')
      for (const account of this.accounts) account.end()
    })
  }

  /** Waits until no change is under way, and lets none begin. */
  async alone(work: () => Promise<void>) {
    let left = this.accounts.length
    const { promise: all, resolve } = Promise.withResolvers<void>()
    const { promise: over, resolve: finish } = Promise.withResolvers<void>()
    const changes = this.accounts.map((account) =>
      account.change(async () => {
        if (--left === 0) resolve()
        await over
      })
    )
    await all
    await work().finally(finish)
    await Promise.all(changes)
  }

  async crashNode(node: number) {
    const { url } = this.servers[node]
    await this.servers[node].kill()
    this.count('node killed')
    this.servers[node] = await startServer({ port: Number(new URL(url).port) })
  }

  crashService(service: number) {
    this.guards[service].close()
    this.guards[service] = this.guardOf(service)
    this.count('service killed')
  }

  /** What was done since the backup is undone: those tokens are worth nothing, earlier ones live again. */
  async restore(since: () => Promise<unknown>) {
    let putBack = async () => {}
    const kept = new Map<Account, { held: Held[]; password: string }>()
    await this.alone(async () => {
      putBack = await backUp()
      for (const account of this.accounts) {
        kept.set(account, { held: [...account.live], password: account.password })
      }
    })
    await since()
    await this.alone(async () => {
      const ports = this.servers.map(({ url }) => Number(new URL(url).port))
      await Promise.all(this.servers.map((server) => server.kill()))
      await putBack()
      const started = await Promise.all(ports.map((port) => startServer({ port })))
      this.servers.splice(0, 2, ...started)
      for (const account of this.accounts) {
        const { held, password } = kept.get(account)!
        account.password = password
        account.end((one) => !held.includes(one))
        for (const one of held) one.endedAt = null
      }
      this.count('restored')
    })
  }

  async ask(method: string, path: string, token: string | null, body?: object) {
    const server = this.random.pick(this.servers)
    return fetch(`${server.url}/api/v1/${path}`, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body && { 'content-type': 'application/json' }),
        'user-agent': 'tests',
      },
      body: body && JSON.stringify(body),
    }).then(
      async (answer) => ({
        status: answer.status,
        body: (await answer.json().catch(() => null)) as any,
      }),
      () => null
    )
  }

  count(what: string) {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }
}

test.group('Two services that guard by following', (group) => {
  let servers: TestServer[]
  let run: Run
  let client: { id: string; secret: string }

  const guardAt = (url: string) =>
    new Guard({
      url,
      mode: 'follow',
      clientId: client.id,
      clientSecret: client.secret,
      maxStaleness: STALENESS / 1000,
      onProblem: () => {},
    })

  group.each.setup(async () => {
    await emptyDatabase()
    const restorePolicy = keepPolicy()
    sessionsConfig.limit = 3
    servers = await startServers(2)
    client = await makeClient(['introspect', 'feed'])
    return async () => {
      for (const guard of run.guards) guard.close()
      await Promise.all(servers.map((server) => server.stop()))
      restorePolicy()
    }
  })

  test('no token passes later than the staleness after the answer that ended it', async ({
    assert,
  }) => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
    run = new Run(servers, new Random(seed), (service) => guardAt(servers[service].url))
    await run.begin()
    let isOver = false
    const scenes = async () => {
      await sleep(1_000)
      await run.everyone()
      await run.crashNode(0)
      run.crashService(1)
      await run.restore(() => sleep(1_000))
      run.crashService(0)
      await run.crashNode(1)
      await run.everyone()
      await sleep(STALENESS + 1_000)
    }
    const workers = Array.from({ length: 8 }, () => run.work(CALLS / 8, () => isOver))
    await Promise.all([...workers, scenes().finally(() => (isOver = true))])

    const latest = Math.round(Math.max(0, ...run.late))
    console.log(
      `      seed ${seed}: ${JSON.stringify(run.counts)}, ${run.late.length} passed late, the latest ${latest} ms`
    )
    assert.deepEqual(run.wrong, [], `SEED=${seed}`)
    assert.isAbove(run.counts['live 200'], 500)
  }).timeout(LONG ? 1_800_000 : 400_000)

  test('a feed that keeps replaced tokens to itself is found out', async ({ assert }) => {
    const feeds = await Promise.all(
      servers.map(({ url }) => withoutEntries(url, 'tokens.replaced'))
    )
    try {
      run = new Run(servers, new Random(1), (service) => guardAt(feeds[service].url))
      await run.begin()
      const deadline = performance.now() + 60_000
      const isOver = () => run.wrong.length > 0 || performance.now() > deadline
      await Promise.all(Array.from({ length: 8 }, () => run.work(0, isOver)))
      assert.match(run.wrong[0], /ms after its end was answered/)
    } finally {
      for (const feed of feeds) feed.close()
    }
  }).timeout(180_000)
})
