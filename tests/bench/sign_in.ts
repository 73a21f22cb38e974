import { figure, median, spread, table } from './figures.js'
import type { Plan } from './plan.js'
import { post } from './post.js'
import type { BenchServer, Database, Workshop } from './servers.js'
import { signIn } from './storm.js'

const SIGN_INS_A_ROUND = 20

/**
 * Rounds before the first that counts: the code of a sign-in runs seldom, so it takes a while until
 * it is compiled as in a server that has been up for a minute.
 */
const WARM_UP_ROUNDS = 25

/**
 * How long a sign-in takes over HTTP beside one bare verification of a password in the same
 * process. Every sign-in after a user's first evicts a session.
 */
export async function compareSignIn(workshop: Workshop, database: Database, plan: Plan) {
  const server = await workshop.startServer(database)
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await takeTurns(server)

  const rounds: { signIn: number; hash: number; beyond: number }[] = []
  for (let round = 0; round < plan.rounds; round++) rounds.push(await takeTurns(server))
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

async function takeTurns({ url, holdings }: BenchServer) {
  const { emails, password } = holdings
  const signIns: number[] = []
  const hashes: number[] = []
  for (let turn = 0; turn < SIGN_INS_A_ROUND; turn++) {
    const begun = performance.now()
    const status = await signIn(url, emails[turn % 8], password)
    signIns.push(performance.now() - begun)
    if (status !== 200) throw new Error(`A sign-in was answered with ${status}.`)
    hashes.push(await bareHash(url, holdings))
  }
  const beyond = median(signIns) - median(hashes)
  return { signIn: median(signIns), hash: median(hashes), beyond }
}

async function bareHash(url: string, body: { hashed: string; password: string }): Promise<number> {
  const { hashed, password } = body
  const answer = await post(`${url}/bench/hash`, { hashed, password })
  return JSON.parse(answer.body).milliseconds
}
