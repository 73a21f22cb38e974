import { Argon } from '@adonisjs/core/hash/drivers/argon'

/*
 * A process of its own that hashes passwords (#app/passwords/argon2_worker). It ends with the process it
 * works for: a signal to both, as a terminal sends it, does not cut off a sign-in under way.
 */

const argon = new Argon(JSON.parse(process.argv[2]))

process.on('message', (order: { id: number; plain: string; hashed?: string }) => {
  const { id, plain, hashed } = order
  const work = hashed === undefined ? argon.make(plain) : argon.verify(hashed, plain)
  work.then(
    (result) => process.send?.({ id, result }),
    () => process.send?.({ id })
  )
})

process.on('disconnect', () => process.exit())
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
