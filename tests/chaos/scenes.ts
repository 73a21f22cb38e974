import { setTimeout as wait } from 'node:timers/promises'
import {
  disableAndEnable,
  forceLogout,
  forcePlatform,
  forceSession,
  leave,
  logInTo,
  look,
  sendRefresh,
  type Look,
} from './actions.js'
import { now } from './history.js'
import type { Action, Held, Person } from './person.js'

/**
 * What people do where sessions live so short that their ends by time matter. Each scene brings a
 * session to the edge of a lifetime, has something end it there, or nothing, and tries its tokens
 * afterwards, on all servers.
 */
export const SCENES = {
  'idle edge': { weight: 45, act: idleEdge },
  'regular use': { weight: 8, act: regularUse },
  'absolute edge': { weight: 8, act: absoluteEdge },
  'open stream': { weight: 6, act: openStream },
} satisfies Record<string, Action>

/**
 * What its device does with a session, and with introspection what others ask about it.
 */
const USES: Look[] = ['check', 'list', 'forward-auth', 'stream', 'events']
const LOOKS: Look[] = [...USES, 'introspect']

/**
 * What ends a session, or may seem to, and how often.
 */
const ENDS = {
  'force-logout': 3,
  'force-session': 3,
  'force-platform': 3,
  'disable': 3,
  'login': 2,
  'logout-others': 2,
  'nothing': 4,
}

/**
 * Used once late in its idle time, or early, and struck when it would be idle without that use.
 */
async function idleEdge(person: Person): Promise<void> {
  const held = hasJustUsed(person) ? person.held : await newSession(person)
  if (!held) return
  const usedBefore = held.usedAt
  const isLate = person.random.next() < 0.75
  await rest(person, usedBefore, isLate ? [0.6, 0.99] : [0.2, 0.6])
  await use(person, held)
  await rest(person, usedBefore, [1, 1.25])
  await end(person, held)
  await tryAgain(person, held)
}

function hasJustUsed({ held, order }: Person): boolean {
  return held !== undefined && now() < held.usedAt + order.lifetimes!.idle / 2
}

/**
 * Used so often that it is never idle, by one server and another, until it is left alone.
 */
async function regularUse(person: Person): Promise<void> {
  const held = await newSession(person)
  if (!held) return
  for (let uses = 0; uses < 5; uses++) {
    await rest(person, now(), [0.2, 0.8])
    await use(person, held)
  }
  await rest(person, now(), [0.9, 1.4])
  await tryAgain(person, held)
}

/**
 * Used until it is too old, or nearly so.
 */
async function absoluteEdge(person: Person): Promise<void> {
  const { idle, max } = person.order.lifetimes!
  const held = await newSession(person)
  if (!held) return
  const opened = held.usedAt
  while (now() < opened + max - idle && !isOver(person, held)) {
    await rest(person, now(), [0.2, 0.7])
    await use(person, held)
  }
  if (isOver(person, held)) return
  await rest(person, opened + max, [-0.3, 0])
  await use(person, held)
  await rest(person, opened + max, [-0.05, 0.2])
  await end(person, held)
  await tryAgain(person, held)
}

/**
 * Kept in use by a stream that stays open, and struck meanwhile.
 */
async function openStream(person: Person): Promise<void> {
  const { idle } = person.order.lifetimes!
  const held = await newSession(person)
  if (!held) return
  const opened = held.usedAt
  const holdFor = idle * (1 + person.random.next())
  await Promise.all([
    look(person, 'stream', held, { holdFor, leaveAfter: holdFor + 5_000 }),
    rest(person, opened, [0.8, 1.8]).then(() => end(person, held)),
  ])
  await rest(person, now(), [0, 1.3])
  await tryAgain(person, held)
}

async function newSession(person: Person): Promise<Held | undefined> {
  const { random, order, home, device } = person
  const email = random.next() < 0.9 ? home : random.pick(order.users).email
  await logInTo(person, email, random.next() < 0.5 ? device : undefined)
  if (!person.held) await rest(person, now(), [0.1, 0.5])
  return person.held
}

function use(person: Person, held: Held): Promise<void> {
  return look(person, person.random.pick(USES), held)
}

async function end(person: Person, held: Held): Promise<void> {
  const { random, device } = person
  switch (random.weighted(ENDS)) {
    case 'force-logout':
      return forceLogout(person, held)
    case 'force-session':
      return forceSession(person, held)
    case 'force-platform':
      return forcePlatform(person, held)
    case 'disable':
      return disableAndEnable(person, held)
    case 'login':
      return logInTo(person, held.user, `${device}-other`)
    case 'logout-others':
      await logInTo(person, held.user, `${device}-other`)
      if (person.held) await leave(person, 'logout-others')
  }
}

async function tryAgain(person: Person, held: Held): Promise<void> {
  for (let tries = 0; tries < 6; tries++) {
    await look(person, person.random.pick(LOOKS), held)
    await rest(person, now(), [0, 0.15])
  }
  if (person.random.next() < 0.3) await sendRefresh(person, held)
}

/**
 * Waits for a moment of the idle time that runs since then, in parts of it; not longer than the
 * person lives.
 */
async function rest(person: Person, since: number, [from, to]: [number, number]): Promise<void> {
  const { order, random, deadline } = person
  const share = from + random.next() * (to - from)
  const until = Math.min(since + order.lifetimes!.idle * share, deadline)
  await wait(Math.max(0, until - now()))
}

function isOver({ held, deadline }: Person, { session }: Held): boolean {
  return held?.session !== session || now() >= deadline
}
