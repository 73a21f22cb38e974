import autocannon from 'autocannon'
import { figure, median, number, spread, table } from './figures.js'
import type { Plan } from './plan.js'
import { post } from './post.js'
import type { BenchServer, Database, Workshop } from './servers.js'
import { ACCOUNTS, jsonPost, timeSignIns, WARM_UP_ROUNDS } from './sign_in.js'

const REFRESHES_A_ROUND = 200
const SESSIONS = 8

/**
 * The most that a refresh may take, in times of a sign-in without its password hash.
 */
const TARGET = 1.5

/**
 * How long a refresh takes over HTTP beside a sign-in without its hash. Both are a request that
 * changes one session in one transaction, so the time of the sign-in says what this machine and
 * this database need for that.
 */
export async function compareRefresh(workshop: Workshop, database: Database, plan: Plan) {
  const server = await workshop.startServer(database)
  const refreshTokens = await openSessions(server)
  const measure = async () => {
    const { signIn, hash, beyond } = await timeSignIns(server)
    const refresh = await timeRefreshes(server, refreshTokens)
    return { refresh, signIn, hash, beyond, ratio: refresh / beyond }
  }
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await measure()

  const rounds: Awaited<ReturnType<typeof measure>>[] = []
  for (let round = 0; round < plan.rounds; round++) rounds.push(await measure())
  await workshop.stopServer(server)

  const results = {
    refresh: figure(rounds.map((round) => round.refresh)),
    signIn: figure(rounds.map((round) => round.signIn)),
    hash: figure(rounds.map((round) => round.hash)),
    beyond: figure(rounds.map((round) => round.beyond)),
    ratio: figure(rounds.map((round) => round.ratio)),
    target: TARGET,
  }
  plan.print(`Refresh on ${database}, medians in milliseconds`)
  plan.print(
    table(
      ['', 'ms'],
      [
        ['refresh', spread(results.refresh, 2)],
        ['sign-in', spread(results.signIn, 2)],
        ['one bare hash', spread(results.hash, 2)],
        ['sign-in beyond its hash', spread(results.beyond, 2)],
      ]
    )
  )
  plan.print(
    `A refresh takes ${spread(results.ratio, 2)} × a sign-in beyond its hash; at most ${number(TARGET, 1)} × is the target.`
  )
  return results
}

/**
 * Signs in users who don't sign in again, so that their sessions live until the end. Returns the
 * refresh token of each.
 */
async function openSessions({ url, holdings }: BenchServer): Promise<string[]> {
  const { emails, password } = holdings
  const refreshTokens: string[] = []
  for (const email of emails.slice(ACCOUNTS, ACCOUNTS + SESSIONS)) {
    const { status, body } = await post(`${url}/api/v1/auth/login`, { email, password })
    if (status !== 200) throw new Error(`A sign-in was answered with ${status}.`)
    refreshTokens.push(JSON.parse(body).data.refreshToken)
  }
  return refreshTokens
}

/**
 * One connection, over which the sessions are refreshed in turn, one after the other. Every answer
 * puts the session's next refresh token in place of the spent one. Returns the median.
 */
async function timeRefreshes({ url }: BenchServer, refreshTokens: string[]): Promise<number> {
  const latencies: number[] = []
  let repeated = 0
  const requests = refreshTokens.map((_, session): autocannon.Request => {
    const ask = () => jsonPost('/api/v1/auth/refresh', { refreshToken: refreshTokens[session] })
    return {
      ...ask(),
      setupRequest: (request) => ({ ...request, ...ask() }),
      onResponse: (status, body) => {
        if (status !== 200) return
        const { refreshToken } = JSON.parse(body).data
        if (refreshToken === refreshTokens[session]) repeated++
        refreshTokens[session] = refreshToken
      },
    }
  })
  await new Promise((resolve, reject) => {
    autocannon({ url, connections: 1, amount: REFRESHES_A_ROUND, requests }, resolve)
      .on('response', (_client, status, _bytes, milliseconds) => {
        if (status !== 200) reject(new Error(`A refresh was answered with ${status}.`))
        latencies.push(milliseconds)
      })
      .on('reqError', reject)
  })
  /** A spent token is answered with its one successor once more, which is less work. */
  if (repeated > 0) throw new Error(`${repeated} refreshes sent a spent token.`)
  return median(latencies)
}
