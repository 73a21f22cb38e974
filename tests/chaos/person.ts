import type { ClientOrder } from './client.js'
import { now } from './history.js'
import { ACTIONS } from './actions.js'
import { SCENES } from './scenes.js'
import type { Random } from './random.js'
import type { Wire } from './wire.js'

/**
 * The tokens of one session, as a device keeps them.
 */
export type Held = {
  user: string
  platform: string
  session: string
  access: string
  refresh: string
  /** When it was used last, as far as the answers say. */
  usedAt: number
}

/**
 * Somebody with a device, at one of whose accounts they are signed in. Old tokens are kept and
 * tried again: they must stay dead.
 */
export type Person = {
  order: ClientOrder
  random: Random
  wire: Wire
  device: string
  /** The account at which they sign in most of the time. */
  home: string
  held?: Held
  old: Held[]
  /** When they stop. */
  deadline: number
  adminToken?: string
}

/**
 * Something that people do, and how often in relation to the rest.
 */
export type Action = { weight: number; act(person: Person): Promise<void> }

const REMEMBERED = 8

/**
 * One person's calls, one after another, until the deadline.
 */
export async function live(equipment: Omit<Person, 'old'>): Promise<void> {
  const person: Person = { ...equipment, old: [] }
  const actions: Record<string, Action> = person.order.lifetimes
    ? { ...ACTIONS, ...SCENES }
    : ACTIONS
  const weights = Object.fromEntries(
    Object.entries(actions).map(([name, { weight }]) => [name, weight])
  )
  const begins = person.order.lifetimes
    ? ['stale', ...Object.keys(SCENES)]
    : ['login', 'stale', 'stale']
  while (now() < person.deadline) {
    const { random, held } = person
    const name = held ? random.weighted(weights) : random.pick(begins)
    await actions[name].act(person)
  }
}

/**
 * The session is over, or another one is held now: its tokens are only good for trying them again.
 */
export function putAway(person: Person): void {
  if (!person.held) return
  person.old.push(person.held)
  person.held = undefined
  if (person.old.length > REMEMBERED) person.old.shift()
}
