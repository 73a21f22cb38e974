import { figure, number, table } from './figures.js'
import type { Plan } from './plan.js'
import type { BenchServer, Database, Workshop } from './servers.js'

/**
 * How long it takes to end all of very many sessions with one command, and until the first request
 * with one of their tokens is refused. It happens once a database: what is ended stays ended.
 */
export async function measureEnding(workshop: Workshop, database: Database, plan: Plan) {
  const sessions = plan.scales.at(-1)!
  const server = await workshop.startServer(database, sessions)
  const begun = performance.now()
  const command = workshop.runCommand(server, ['force:logout', '--all', '--yes'])
  const untilRefused = firstRefusal(server).then(() => performance.now() - begun)
  const code = await command
  const untilDone = performance.now() - begun
  if (code !== 0) throw new Error(`force:logout ended with exit code ${code}.`)
  const refused = await untilRefused
  await workshop.stopServer(server)

  plan.print(`Ending ${number(sessions)} sessions on ${database} with force:logout --all`)
  plan.print(
    table(
      ['', 'seconds'],
      [
        ['until a token is refused, with the start of the command', number(refused / 1000, 2)],
        ['until the end of every session is written', number(untilDone / 1000, 2)],
      ]
    )
  )
  return { sessions, untilRefused: figure([refused]), untilDone: figure([untilDone]) }
}

/**
 * Asks with one token until the answer is 401.
 */
async function firstRefusal({ url, holdings }: BenchServer): Promise<void> {
  const headers = { authorization: `Bearer ${holdings.tokens.latchkey[0]}` }
  for (;;) {
    const response = await fetch(`${url}/bench/latchkey`, { headers })
    await response.arrayBuffer()
    if (response.status === 401) return
    if (response.status !== 200) throw new Error(`A check was answered with ${response.status}.`)
  }
}
