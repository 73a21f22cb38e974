import { appendFileSync } from 'node:fs'
import { now, type Lifetimes } from './history.js'
import { live } from './person.js'
import { Random } from './random.js'
import { Wire } from './wire.js'

/**
 * One client process of the chaos run: several people at once, each with a device, who do at
 * random what people do, on two servers, and write down what they saw.
 */
export type ClientOrder = {
  servers: string[]
  users: { email: string; id: number }[]
  admin: { email: string }
  /** HTTP Basic credentials of a service client. */
  basic: string
  password: string
  people: number
  /** How long sessions live, where that is short enough to matter. */
  lifetimes?: Lifetimes
  seed: number
  forMs: number
  file: string
}

const order: ClientOrder = JSON.parse(process.argv[2])
const deadline = now() + order.forMs
let lines: string[] = []

const flush = () => {
  appendFileSync(order.file, lines.join(''))
  lines = []
}
const timer = setInterval(flush, 200)
await Promise.all(
  Array.from({ length: order.people }, (_, index) => {
    const random = new Random(order.seed * 1000 + index)
    const wire = new Wire(order.servers, random, (call) => lines.push(`${JSON.stringify(call)}\n`))
    const home = order.users[(order.seed * order.people + index) % order.users.length].email
    return live({ order, random, wire, device: `device-${order.seed}-${index}`, home, deadline })
  })
)
clearInterval(timer)
flush()
