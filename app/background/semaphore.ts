import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Who asks for a piece of work. Work of nobody in particular has two empty names.
 */
export type Caller = { network: string; account: string }

type Waiter = { start: () => void; refuse: () => void }

/**
 * Bounds how much work runs at once, in all, for each network and for each account of a network,
 * and how much waits.
 *
 * The wait is fair: networks take turns, and in each network its accounts. When too much waits,
 * the network that has most waiting loses what came last of its account that has most waiting. So
 * whoever floods the queue fills it for themselves, and others are served next.
 */
export class Semaphore {
  readonly #everyone: Group
  readonly #maxWaiting: () => number

  /**
   * Bounds that are not given are none. `maxWaiting` is asked every time.
   */
  constructor(
    atOnce: { total?: number; perNetwork?: number; perAccount?: number },
    maxWaiting: () => number
  ) {
    const { total = Infinity, perNetwork = Infinity, perAccount = Infinity } = atOnce
    this.#everyone = new Group([total, perNetwork, perAccount])
    this.#maxWaiting = maxWaiting
  }

  get running(): number {
    return this.#everyone.running
  }

  get waiting(): number {
    return this.#everyone.waiting
  }

  get isFull(): boolean {
    return this.waiting >= this.#maxWaiting()
  }

  /**
   * Runs the work when its turn comes. Throws `E_UNAVAILABLE` when too much waits: at once, or
   * later, when somebody else's work comes and this caller has most waiting.
   */
  async run<Result>(
    work: () => Promise<Result>,
    { network, account }: Caller = { network: '', account: '' }
  ): Promise<Result> {
    const path = [network, account]
    await new Promise<void>((resolve, reject) => {
      const refuse = () => reject(new E_UNAVAILABLE({ retryAfter: 2 }))
      this.#everyone.push({ start: resolve, refuse }, path)
      this.#everyone.startNext()
      if (this.waiting > this.#maxWaiting()) this.#everyone.removeNewest(path).refuse()
    })
    try {
      return await work()
    } finally {
      this.#everyone.end(path)
      this.#everyone.startNext()
    }
  }
}

/**
 * What runs and waits of everyone, of one network, or of one account: a tree of three levels. A
 * path names the groups that lie below.
 */
class Group {
  readonly #bounds: number[]
  readonly #groups = new Map<string, Group>()
  readonly #waiters: Waiter[] = []
  running = 0
  waiting = 0

  /**
   * How much may run at once here, and in each group of the levels below.
   */
  constructor(bounds: number[]) {
    this.#bounds = bounds
  }

  push(waiter: Waiter, [name, ...path]: string[]): void {
    this.waiting++
    if (name === undefined) {
      this.#waiters.push(waiter)
      return
    }
    const group = this.#groups.get(name) ?? new Group(this.#bounds.slice(1))
    this.#groups.set(name, group)
    group.push(waiter, path)
  }

  /**
   * Starts what may run next, if anything may. The group that it is taken from goes to the end of
   * the line.
   */
  startNext(): boolean {
    if (this.waiting === 0 || this.running >= this.#bounds[0]) return false
    if (!this.#startOwn() && !this.#startInGroup()) return false
    this.waiting--
    this.running++
    return true
  }

  #startOwn(): boolean {
    const waiter = this.#waiters.shift()
    waiter?.start()
    return waiter !== undefined
  }

  #startInGroup(): boolean {
    for (const [name, group] of this.#groups) {
      if (!group.startNext()) continue
      this.#groups.delete(name)
      this.#groups.set(name, group)
      return true
    }
    return false
  }

  end([name, ...path]: string[]): void {
    this.running--
    if (name === undefined) return
    this.#groups.get(name)!.end(path)
    this.#forgetIfIdle(name)
  }

  /**
   * Takes out the newest waiter of the largest group. Of groups that are as large it is the
   * newcomer's, so that nobody who waits already is sent away for an equal.
   */
  removeNewest([newcomer, ...path]: string[]): Waiter {
    this.waiting--
    if (this.#groups.size === 0) return this.#waiters.pop()!
    let largest = newcomer
    for (const [name, group] of this.#groups) {
      if (group.waiting > (this.#groups.get(largest)?.waiting ?? 0)) largest = name
    }
    const removed = this.#groups.get(largest)!.removeNewest(largest === newcomer ? path : [])
    this.#forgetIfIdle(largest)
    return removed
  }

  #forgetIfIdle(name: string) {
    const { running, waiting } = this.#groups.get(name)!
    if (running + waiting === 0) this.#groups.delete(name)
  }
}
