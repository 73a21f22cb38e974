import { test } from '@japa/runner'
import { BackgroundQueue } from '#app/background/background_queue'

test.group('Background queue', () => {
  test('so many at once, so many waiting, and no more are taken', async ({ assert }) => {
    const queue = new BackgroundQueue({ atOnce: 2, waiting: 3 }, () => {})
    let running = 0
    let most = 0
    const job = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running--
    }
    const taken = Array.from({ length: 7 }, () => queue.add(job))
    assert.deepEqual(taken, [true, true, true, true, true, false, false])
    assert.equal(running, 0)
    assert.isTrue(queue.isFull)
    await queue.settled()
    assert.deepEqual([running, most, queue.isFull], [0, 2, false])
  })

  test('a failure is told and stops nothing; settling waits for jobs of jobs', async ({
    assert,
  }) => {
    const failures: unknown[] = []
    const done: string[] = []
    const queue = new BackgroundQueue({ atOnce: 1, waiting: 10 }, (error) => failures.push(error))
    queue.add(() => Promise.reject(new Error('refused')))
    queue.add(async () => {
      done.push('first')
      queue.add(async () => void done.push('second'))
    })
    await queue.settled()
    assert.deepEqual(done, ['first', 'second'])
    assert.lengthOf(failures, 1)
  })

  test('settling does not wait for ever', async ({ assert }) => {
    const queue = new BackgroundQueue({ atOnce: 1, waiting: 10 }, () => {})
    queue.add(() => new Promise(() => {}))
    const keptAlive = setTimeout(() => {}, 1_000)
    await queue.settled(20)
    clearTimeout(keptAlive)
    assert.isFalse(queue.isFull)
  })
})
