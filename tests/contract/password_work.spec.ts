import { Argon } from '@adonisjs/core/hash/drivers/argon'
import db from '@adonisjs/lucid/services/db'
import { test } from '@japa/runner'
import bcrypt from 'bcrypt'
import hasher from '@adonisjs/core/services/hash'
import { readAccount, verifyCredentials } from '#app/accounts/credentials'
import { checkPassword, signInWith } from '#app/accounts/sign_in'
import { inTransaction } from '#app/database/transaction'
import { readHash } from '#app/passwords/foreign_hash'
import { noteForeignHashes } from '#app/passwords/foreign_hashes_here'
import { hashPassword, hashQueue, isOutdated, prepareDecoy } from '#app/passwords/passwords'
import { E_INVALID_CREDENTIALS } from '#exceptions/errors'
import User from '#models/user'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

/**
 * Parameters of older days.
 */
const older = new Argon({ variant: 'id', memory: 8192, iterations: 2, parallelism: 1 })

/**
 * Counts the hashes that an attempt costs. `before` runs ahead of each, with its number.
 */
async function countHashes(
  attempt: () => Promise<unknown>,
  before: (hash: number) => Promise<void> = async () => {}
): Promise<{ hashes: number; outcome: unknown }> {
  let hashes = 0
  const { run } = hashQueue
  hashQueue.run = (work, caller) =>
    run.call(
      hashQueue,
      async () => {
        await before(++hashes)
        return work()
      },
      caller
    ) as ReturnType<typeof work>
  try {
    const outcome = await attempt().catch((error: unknown) => error)
    return { hashes, outcome }
  } finally {
    hashQueue.run = run
  }
}

async function makeOutdatedUser() {
  const user = await makeUser()
  user.password = await older.make(PASSWORD)
  return user.save()
}

async function check(email: string, password: string) {
  return verifyCredentials(await readAccount(email), password)
}

async function signInOf(email: string | null, password: string) {
  const account = await readAccount(email!)
  const checked = await checkPassword({ email: email!, password, account })
  return signInWith(checked, (user) => signIn(user))
}

/**
 * The steps of each family of hashes that an attempt costs.
 */
async function workOf(attempt: () => Promise<unknown>): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  const { verify } = hasher
  hasher.verify = (hashed, plain) => {
    const { family, work } = readHash(hashed)!
    sums[family] = (sums[family] ?? 0) + work
    return verify.call(hasher, hashed, plain)
  }
  try {
    await attempt().catch(() => {})
    return sums
  } finally {
    hasher.verify = verify
  }
}

test.group('The work of checking a password', (group) => {
  group.setup(async () => {
    await prepareDecoy()
  })
  group.each.setup(() => emptyDatabase())

  test('an unknown e-mail, a wrong password and a right one each cost one hash', async ({
    assert,
  }) => {
    const user = await makeUser()
    const unknown = await countHashes(() => check('nobody@example.com', PASSWORD))
    const wrong = await countHashes(() => check(user.email, 'not the password'))
    const right = await countHashes(() => check(user.email, PASSWORD))
    assert.deepEqual([unknown.hashes, wrong.hashes, right.hashes], [1, 1, 1])
    assert.instanceOf(unknown.outcome, E_INVALID_CREDENTIALS)
    assert.instanceOf(wrong.outcome, E_INVALID_CREDENTIALS)
    assert.instanceOf(right.outcome, User)
  })

  test('a user without a password costs one hash and is refused', async ({ assert }) => {
    const user = await makeUser()
    await db.from('users').where('id', user.id).update({ password: '' })
    const { hashes, outcome } = await countHashes(() => check(user.email, ''))
    assert.equal(hashes, 1)
    assert.instanceOf(outcome, E_INVALID_CREDENTIALS)
  })

  test('a sign-in makes a hash of older parameters stronger, once', async ({ assert }) => {
    const user = await makeOutdatedUser()
    assert.isTrue(isOutdated(user.password!))
    const first = await countHashes(() => check(user.email, PASSWORD))
    assert.equal(first.hashes, 2)
    const before = await User.findOrFail(user.id)
    assert.equal(before.password, user.password)

    await signIn(first.outcome as User)
    const stored = await User.findOrFail(user.id)
    assert.isFalse(isOutdated(stored.password!))
    const second = await countHashes(() => check(user.email, PASSWORD))
    assert.equal(second.hashes, 1)
  })

  test('a wrong password makes nothing stronger', async ({ assert }) => {
    const user = await makeOutdatedUser()
    await countHashes(() => check(user.email, 'not the password'))
    const stored = await User.findOrFail(user.id)
    assert.equal(stored.password, user.password)
  })

  test('a password that changes while its hash is made stronger stays changed', async ({
    assert,
  }) => {
    const user = await makeOutdatedUser()
    const changed = await hashPassword('another password')
    const { outcome } = await countHashes(
      () => signInOf(user.email, PASSWORD),
      async (count) => {
        if (count === 2) await db.from('users').where('id', user.id).update({ password: changed })
      }
    )
    assert.instanceOf(outcome, E_INVALID_CREDENTIALS)
    const stored = await User.findOrFail(user.id)
    assert.equal(stored.password, changed)
  })

  test('sign-ins that make the same hash stronger at once all succeed', async ({ assert }) => {
    const user = await makeOutdatedUser()
    const opened = await Promise.all([1, 2, 3].map(() => signInOf(user.email, PASSWORD)))
    assert.lengthOf(opened, 3)
    const stored = await User.findOrFail(user.id)
    assert.isFalse(isOutdated(stored.password!))
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })

  test('with imported hashes, an unknown, a native and an imported account cost the same', async ({
    assert,
  }) => {
    const native = await makeUser()
    const imported = await makeUser()
    const hashed = await bcrypt.hash(PASSWORD, 5)
    await db.from('users').where('id', imported.id).update({ password: hashed })
    await inTransaction((trx) => noteForeignHashes(trx, [hashed, `$2b$06$${'.'.repeat(53)}`]))
    const works: Record<string, number>[] = []
    for (const email of [native.email, imported.email, 'nobody@example.com']) {
      works.push(await workOf(() => check(email, 'not the password')))
    }
    assert.deepEqual(works[1], works[0])
    assert.deepEqual(works[2], works[0])
    assert.equal(works[0].bcrypt, 2 ** 6)
    assert.equal(works[0].argon2, 19_456 * 2)
  })
})
