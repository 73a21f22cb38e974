import { extname } from 'node:path'

/*
 * A process of its own that hashes passwords (#app/passwords/argon2_worker). It ends with the process it
 * works for: a signal to both, as a terminal sends it, does not cut off a sign-in under way.
 */

/** Node.js runs this file as it is, so the other's name must be the one that it has on the disk. */
const source = new URL(`./foreign_hash${extname(import.meta.url)}`, import.meta.url).href
const driver = import(source).then(
  ({ PasswordDriver }: typeof import('./foreign_hash.js')) =>
    new PasswordDriver(JSON.parse(process.argv[2]))
)

type Order = { id: number; plain: string; hashed?: string }

async function carryOut({ plain, hashed }: Order): Promise<string | boolean> {
  const one = await driver
  return hashed === undefined ? one.make(plain) : one.verify(hashed, plain)
}

process.on('message', (order: Order) => {
  const { id } = order
  carryOut(order).then(
    (result) => process.send?.({ id, result }),
    () => process.send?.({ id })
  )
})

process.on('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
