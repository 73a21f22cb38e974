import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import { median } from '../bench/figures.js'
import { drive, type Load as Drive } from '../bench/load.js'
import { forceLogout } from '#app/force_logout/force_logout'
import { emptyDatabase } from '#tests/harness/database'
import { listen, type Listener } from '#tests/harness/event_stream'
import { sharedServers, type TestServer } from '#tests/harness/server'
import { insertSessions } from '#tests/harness/sessions_with_tokens'

const LONG = process.env.LONG === '1'
type Load = Omit<Drive, 'url'>

const STREAMS = LONG ? 2_000 : 200

/**
 * Memory of a process that is in RAM, in KiB.
 */
function residentMemory(server: TestServer): number {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1])
}

/**
 * Processor time that a process has used, in milliseconds.
 */
function processorTime(server: TestServer): number {
  const stat = readFileSync(`/proc/${server.process.pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/**
 * Checked requests a second of processor time that they cost the server: that depends less on what
 * else the machine does than requests a second by the clock.
 */
async function measure(server: TestServer, load: Load) {
  const used = processorTime(server)
  const began = performance.now()
  const outcome = await drive({ ...load, url: `${server.url}/api/v1/account` })
  const answered = (outcome.rate * (performance.now() - began)) / 1000
  const perProcessorSecond = (answered * 1000) / (processorTime(server) - used)
  return { perProcessorSecond, rate: outcome.rate, failures: outcome.failures }
}

/**
 * Two servers in turn, so that a machine that is slower for a while is so for both. Medians.
 */
async function compare(servers: TestServer[], load: Load) {
  const measured = servers.map(() => [] as Awaited<ReturnType<typeof measure>>[])
  for (let round = 0; round < (LONG ? 7 : 1); round++) {
    for (const [index, server] of servers.entries()) {
      measured[index].push(await measure(server, load))
    }
  }
  return measured.map((rounds) => ({
    perProcessorSecond: median(rounds.map((round) => round.perProcessorSecond)),
    rate: median(rounds.map((round) => round.rate)),
    failures: Object.assign({}, ...rounds.map((round) => round.failures)),
  }))
}

test.group('Many streams at once', (group) => {
  group.each.setup(() => emptyDatabase())

  test('all of them are held in bounded memory, slow nobody down, and are told', async ({
    assert,
  }) => {
    const servers = await sharedServers({}, {})
    const [server, other] = servers
    const sessions = await insertSessions(STREAMS + 20)
    const load = {
      tokens: sessions.splice(0, 20).map(({ token }) => token),
      connections: 32,
      seconds: LONG ? 2 : 0.5,
    }
    await compare(servers, load)

    const before = residentMemory(server)
    const listeners: Listener[] = []
    for (let start = 0; start < STREAMS; start += 100) {
      const some = sessions.slice(start, start + 100)
      /** A network may have 200. */
      const from = `127.0.${1 + start / 100}.1`
      const opened = some.map(({ token }) => listen(server.url, token, { from }))
      listeners.push(...(await Promise.all(opened)))
    }
    assert.deepEqual([...new Set(listeners.map((listener) => listener.status))], [200])
    const perStream = (residentMemory(server) - before) / STREAMS
    const [beside, alone] = await compare([server, other], load)
    assert.deepEqual(beside.failures, {})
    if (LONG) {
      console.log(`${STREAMS} streams: ${perStream.toFixed(1)} KiB each`)
      const rates = [alone, beside].map(({ rate, perProcessorSecond }) =>
        [rate, perProcessorSecond].map(Math.round).join('/')
      )
      console.log(
        `checked requests a second/a second of processor time: ${rates[0]} without, ${rates[1]} with`
      )
      assert.isAbove(beside.perProcessorSecond, 0.9 * alone.perProcessorSecond)
    }
    assert.isBelow(perStream, 128)

    await forceLogout({ who: 'everyone', actor: 'system' })
    for (const listener of listeners) {
      const { data } = await listener.next(20_000)
      assert.equal(data.reason, 'forced')
      await listener.closed()
      assert.lengthOf(listener.events(), 1)
    }
  }).timeout(120_000)
})
