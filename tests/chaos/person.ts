import type { ClientOrder } from './client.js'
import { now } from './history.js'
import { ACTIONS, type ActionName } from './actions.js'
import type { Random } from './random.js'
import type { Wire } from './wire.js'

/**
 * The tokens of one session, as a device keeps them.
 */
export type Held = { user: string; session: string; access: string; refresh: string }

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
  adminToken?: string
}

const REMEMBERED = 8

/**
 * One person's calls, one after another, until the deadline.
 */
export async function live(equipment: Omit<Person, 'old'>, deadline: number): Promise<void> {
  const person: Person = { ...equipment, old: [] }
  const weights = Object.fromEntries(
    Object.entries(ACTIONS).map(([name, { weight }]) => [name, weight])
  ) as Record<ActionName, number>

  while (now() < deadline) {
    const { random, held } = person
    const name = held ? random.weighted(weights) : random.pick(['login', 'stale', 'stale'] as const)
    await ACTIONS[name].act(person)
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
