import autocannon from 'autocannon'
import { figure, median, spread, table } from './figures.js'
import type { Plan } from './plan.js'
import type { BenchServer, Database, Workshop } from './servers.js'

const SIGN_INS_A_ROUND = 40

/**
 * The first of a server's users, who sign in here. Other measurements on the server take others.
 */
export const ACCOUNTS = 8

/**
 * Rounds before the first that counts: the code of a sign-in runs seldom, so it takes a while until
 * it is compiled as in a server that has been up for a minute.
 */
export const WARM_UP_ROUNDS = 25

/**
 * How long a sign-in takes over HTTP beside one bare verification of a password in the same
 * process. Every sign-in after a user's first evicts a session.
 */
export async function compareSignIn(workshop: Workshop, database: Database, plan: Plan) {
  const server = await workshop.startServer(database)
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await timeSignIns(server)

  const rounds: { signIn: number; hash: number; beyond: number }[] = []
  for (let round = 0; round < plan.rounds; round++) rounds.push(await timeSignIns(server))
  await workshop.stopServer(server)

  const results = {
    signIn: figure(rounds.map((round) => round.signIn)),
    hash: figure(rounds.map((round) => round.hash)),
    beyond: figure(rounds.map((round) => round.beyond)),
  }
  plan.print(`Sign-in on ${database}, medians in milliseconds`)
  plan.print(
    table(
      ['', 'ms'],
      [
        ['sign-in', spread(results.signIn, 2)],
        ['one bare hash', spread(results.hash, 2)],
        ['sign-in beyond its hash', spread(results.beyond, 2)],
      ]
    )
  )
  return results
}

/**
 * One connection, over which a sign-in and a bare verification take turns.
 */
export async function timeSignIns({ url, holdings }: BenchServer) {
  const { emails, password, hashed } = holdings
  const signIns: number[] = []
  const hashes: number[] = []
  const requests = emails.slice(0, ACCOUNTS).flatMap((email): autocannon.Request[] => [
    jsonPost('/api/v1/auth/login', { email, password }),
    {
      ...jsonPost('/bench/hash', { hashed, password }),
      onResponse: (_status, body) => hashes.push(JSON.parse(body).milliseconds),
    },
  ])
  let answers = 0
  await new Promise((resolve, reject) => {
    autocannon({ url, connections: 1, amount: 2 * SIGN_INS_A_ROUND, requests }, resolve)
      .on('response', (_client, status, _bytes, milliseconds) => {
        if (status !== 200) reject(new Error(`A sign-in was answered with ${status}.`))
        if (answers++ % 2 === 0) signIns.push(milliseconds)
      })
      .on('reqError', reject)
  })
  const beyond = median(signIns) - median(hashes)
  return { signIn: median(signIns), hash: median(hashes), beyond }
}

export function jsonPost(path: string, body: object): autocannon.Request {
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}
