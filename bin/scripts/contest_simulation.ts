/*
|--------------------------------------------------------------------------
| Simulation of contested accounts
|--------------------------------------------------------------------------
|
| node --import=@poppinss/ts-exec bin/scripts/contest_simulation.ts [--accounts=2000] [--seed=1]
|
| Prints for several values of SESSION_CONTEST how many accounts of each made-up population would
| be called contested within a week, where one device is allowed. The table of docs/contested.md is
| its output. tests/functional/contest_simulation.spec.ts holds its rule against the application.
|
*/

import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A sign-in of one account: when, in milliseconds, and by which device (its id, or its user agent).
 */
export type SignInAt = { at: number; device: string }

type Random = () => number

/**
 * A small generator, so that a seed gives the same week again (mulberry32).
 */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * A waiting time around `median`, rarely much longer (log-normal).
 */
function around(random: Random, median: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return median * Math.exp(0.7 * normal)
}

const between = (random: Random, from: number, to: number) => from + random() * (to - from)

/**
 * Two people share a password and both want to be in for two hours of each evening. Whoever is
 * signed out signs in again after a while, and gives up after some rounds.
 */
function sharers(random: Random, median: number): SignInAt[] {
  const week: SignInAt[] = []
  for (let day = 0; day < 7; day++) {
    let at = day * DAY + between(random, 19, 21) * HOUR
    const rounds = Math.ceil(between(random, 2, 20))
    for (let round = 0; round < rounds * 2; round++) {
      week.push({ at, device: round % 2 ? 'hers' : 'his' })
      at += around(random, median)
    }
  }
  return week
}

/**
 * One person who goes to and fro between a phone and a laptop, two to eight times a day, and once a
 * week tries something on both, three to five changes within some minutes.
 */
function switcher(random: Random): SignInAt[] {
  const week: SignInAt[] = []
  for (let day = 0; day < 7; day++) {
    const times = Math.floor(between(random, 2, 9))
    const hours = Array.from({ length: times }, () => day * DAY + between(random, 7, 23) * HOUR)
    week.push(...hours.map((at) => ({ at, device: random() < 0.5 ? 'phone' : 'laptop' })))
  }
  let at = between(random, 0, 7) * DAY
  const changes = Math.floor(between(random, 3, 6))
  for (let change = 0; change < changes; change++) {
    week.push({ at, device: change % 2 ? 'phone' : 'laptop' })
    at += between(random, 30 * SECOND, 3 * MINUTE)
  }
  return week.sort((one, other) => one.at - other.at)
}

/**
 * A phone whose client signs in again at every gap of the network, up to thirty times an hour, and
 * now and then a laptop.
 */
function badNetwork(random: Random): SignInAt[] {
  const phone: SignInAt[] = []
  for (let day = 0; day < 7; day++) {
    let at = day * DAY + 7 * HOUR
    while (at < day * DAY + 23 * HOUR) {
      phone.push({ at, device: 'phone' })
      at += around(random, 4 * MINUTE)
    }
  }
  const laptop = Array.from({ length: 14 }, () => ({
    at: Math.floor(random() * 7) * DAY + between(random, 7, 23) * HOUR,
    device: 'laptop',
  }))
  return [...phone, ...laptop].sort((one, other) => one.at - other.at)
}

/**
 * A client that signs in every five seconds for ten minutes, once a week.
 */
function loop(random: Random, deviceOf: (turn: number) => string): SignInAt[] {
  const start = random() * 6 * DAY
  return Array.from({ length: 120 }, (_, turn) => ({
    at: start + turn * 5 * SECOND,
    device: deviceOf(turn),
  }))
}

/**
 * The populations, and whether their accounts are to be found.
 */
export const POPULATIONS: {
  title: string
  wanted: boolean
  week: (random: Random) => SignInAt[]
}[] = [
  { title: 'Two people, back after 1 minute', wanted: true, week: (r) => sharers(r, MINUTE) },
  { title: 'Two people, back after 3 minutes', wanted: true, week: (r) => sharers(r, 3 * MINUTE) },
  {
    title: 'Two people, back after 10 minutes',
    wanted: true,
    week: (r) => sharers(r, 10 * MINUTE),
  },
  { title: 'One person with two devices', wanted: false, week: switcher },
  { title: 'One person, bad network', wanted: false, week: badNetwork },
  { title: 'Sign-in loop of one device', wanted: false, week: (r) => loop(r, () => 'phone') },
  {
    title: 'Sign-in loop, another `device.id` each time',
    wanted: false,
    week: (r) => loop(r, (turn) => `id ${turn}`),
  },
  {
    title: 'Two devices of one person that sign in by themselves when signed out',
    wanted: false,
    week: (r) => loop(r, (turn) => (turn % 2 ? 'phone' : 'laptop')),
  },
]

/**
 * When the account becomes contested: the moment of the first takeover, by another device than the
 * one before, that is the `count`th within `windowMs`. Undefined: never.
 */
export function contestedAt(
  signIns: SignInAt[],
  { count, windowMs }: { count: number; windowMs: number }
): number | undefined {
  const takeovers = signIns.filter(
    ({ device }, index) => index > 0 && device !== signIns[index - 1].device
  )
  return takeovers.find(
    ({ at }, index) => index >= count - 1 && takeovers[index - count + 1].at > at - windowMs
  )?.at
}

const RULES = ['4/10m', '6/10m', '8/10m', '6/30m', '12/1h'].map((text) => {
  const [count, duration] = text.split('/')
  const windowMs = duration.endsWith('h')
    ? Number.parseInt(duration) * HOUR
    : Number.parseInt(duration) * MINUTE
  return { text, count: Number(count), windowMs }
})

function run() {
  const { values } = parseArgs({
    options: {
      accounts: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
    },
  })
  const random = randomOf(Number(values.seed))
  const accounts = Number(values.accounts)
  console.log(
    `| of ${accounts} accounts each, in a week | ${RULES.map(({ text }) => `\`${text}\``).join(' | ')} |`
  )
  console.log(`| --- |${' ---: |'.repeat(RULES.length)}`)
  for (const { title, week } of POPULATIONS) {
    const weeks = Array.from({ length: accounts }, () => week(random))
    const shares = RULES.map((rule) => {
      const found = weeks.filter((signIns) => contestedAt(signIns, rule) !== undefined)
      return `${((100 * found.length) / accounts).toFixed(1)} %`
    })
    console.log(`| ${title} | ${shares.join(' | ')} |`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) run()
