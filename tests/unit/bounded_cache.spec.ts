import { test } from '@japa/runner'
import { BoundedCache } from '#app/bounded_cache'

test.group('Bounded cache', () => {
  test('of too many the one used longest ago is forgotten', ({ assert }) => {
    const cache = new BoundedCache<string, number>(2)
    cache.set('a', 1)
    cache.set('b', 2)
    assert.equal(cache.get('a'), 1)
    cache.set('c', 3)
    assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3])
    cache.set('a', 4)
    cache.set('d', 5)
    assert.deepEqual([cache.get('a'), cache.get('c'), cache.get('d')], [4, undefined, 5])
  })

  test('a value is made once, also one that says there is none', ({ assert }) => {
    const cache = new BoundedCache<string, string | null>(10)
    const made: string[] = []
    const make = (key: string) => {
      made.push(key)
      return key === 'none' ? null : key.toUpperCase()
    }
    const got = ['a', 'none', 'a', 'none'].map((key) => cache.getOrSet(key, make))
    assert.deepEqual(got, ['A', null, 'A', null])
    assert.deepEqual(made, ['a', 'none'])
  })
})
