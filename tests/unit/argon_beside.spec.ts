import { readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { test } from '@japa/runner'
import { Argon } from '@adonisjs/core/hash/drivers/argon'
import { Argon2Worker } from '#app/passwords/argon2_worker'
import { E_UNAVAILABLE } from '#exceptions/errors'
import { startServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'

const parameters = { memory: 1024, iterations: 2, parallelism: 1 }
const ON_LINUX = process.platform === 'linux'

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children === '' ? undefined : Number.parseInt(children)
}

/**
 * What a busy machine makes so slow that it passes for standing still is tried again.
 */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

test.group('The process that hashes passwords', (group) => {
  group.tap((one) => one.timeout(60_000))

  test('hashes and verifies as the framework’s driver does', async ({ assert }) => {
    const beside = new Argon2Worker(parameters)
    const within = new Argon(parameters)
    const hashed = await beside.make('correct horse')
    assert.isTrue(within.isValidHash(hashed))
    assert.isFalse(within.needsReHash(hashed))
    assert.isTrue(await within.verify(hashed, 'correct horse'))
    const checked = await Promise.all(
      ['correct horse', 'wrong', '', 'pässwörd \u{1f511}'].map((plain) =>
        beside.verify(hashed, plain)
      )
    )
    assert.deepEqual(checked, [true, false, false, false])
    assert.isFalse(await beside.verify('no hash at all', 'correct horse'))
  })

  test('stands back, and knows nothing of the environment', async ({ assert }) => {
    const beside = new Argon2Worker(parameters)
    await beside.make('password')
    assert.equal(getPriority(beside.pid), getPriority() + 10)
    const environment = readFileSync(`/proc/${beside.pid}/environ`, 'utf8')
    assert.notInclude(environment, process.env.APP_KEY!)
    assert.deepEqual(
      environment.split('\0').filter((entry) => entry && !/^(NODE_CHANNEL|UV_)/.test(entry)),
      []
    )
  }).skip(!ON_LINUX, 'reads /proc')

  test('when it dies, what it was doing is refused, and another one does what comes', async ({
    assert,
  }) => {
    const beside = new Argon2Worker({ ...parameters, iterations: 200 })
    const before = await beside.make('password')
    const died = beside.pid!
    const cut = [beside.make('a'), beside.verify(before, 'b')]
    process.kill(died, 'SIGKILL')
    const outcomes = await Promise.allSettled(cut)
    for (const outcome of outcomes) {
      assert.equal(outcome.status, 'rejected')
      assert.instanceOf((outcome as PromiseRejectedResult).reason, E_UNAVAILABLE)
    }
    assert.isTrue(await beside.verify(before, 'password'))
    assert.notEqual(beside.pid, died)
  })

  test('when it stands still, what waits is refused, and another one does what comes', async ({
    assert,
  }) => {
    const beside = new Argon2Worker(parameters, 3_000)
    const hashed = await again(() => beside.make('password'))
    const still = beside.pid!
    process.kill(still, 'SIGSTOP')
    const waiting = await Promise.allSettled([beside.make('a'), beside.verify(hashed, 'b')])
    for (const outcome of waiting) {
      assert.instanceOf((outcome as PromiseRejectedResult).reason, E_UNAVAILABLE)
    }
    assert.isTrue(await again(() => beside.verify(hashed, 'password')))
    await until(() => isGone(still), 'the end of the process that stood still', 20_000)
  })

  test('ends with the server it works for, however that ends', async ({ assert }) => {
    for (const end of ['stop', 'kill'] as const) {
      const server = await startServer()
      const childOfServer = () => childOf(server.process.pid!)
      await until(() => childOfServer() !== undefined, 'a process that hashes', 20_000)
      const child = childOfServer()!
      await server[end]()
      await until(() => isGone(child), `the end of process ${child}`, 20_000)
      assert.isTrue(isGone(child))
    }
  }).skip(!ON_LINUX, 'reads /proc')
})
