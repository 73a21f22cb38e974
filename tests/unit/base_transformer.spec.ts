import { test } from '@japa/runner'
import {
  BaseTransformer as FrameworkTransformer,
  Collection,
  Item,
  Maybe,
  Paginator,
} from '@adonisjs/core/transformers'
import { BaseTransformer } from '#app/http/base_transformer'

class Ours extends BaseTransformer<{ id: number }> {
  toObject() {
    return { id: this.resource.id }
  }
}

class Theirs extends FrameworkTransformer<{ id: number }> {
  toObject() {
    return { id: this.resource.id }
  }
}

const VALUES: [string, unknown][] = [
  ['an object', { id: 1 }],
  ['a list', [{ id: 1 }]],
  ['null', null],
  ['nothing that may be missing', new Maybe(undefined)],
  ['null that may be missing', new Maybe(null)],
  ['an object that may be missing', new Maybe({ id: 1 })],
]

function tracesCaptured(work: () => void): number {
  const { captureStackTrace } = Error
  let captured = 0
  Error.captureStackTrace = (...args) => {
    captured++
    captureStackTrace(...args)
  }
  try {
    work()
    return captured
  } finally {
    Error.captureStackTrace = captureStackTrace
  }
}

test.group('The base transformer', () => {
  for (const [name, value] of VALUES) {
    test(`makes of ${name} what the framework's makes`, ({ assert }) => {
      const ours: any = Ours.transform(value as { id: number })
      const theirs: any = Theirs.transform(value as { id: number })
      assert.strictEqual(ours?.constructor, theirs?.constructor)
      assert.deepEqual({ ...ours, transformer: null }, { ...theirs, transformer: null })
    })
  }

  test('knows items, lists and pages', ({ assert }) => {
    assert.instanceOf(Ours.transform({ id: 1 }), Item)
    assert.instanceOf(Ours.transform([{ id: 1 }]), Collection)
    assert.instanceOf(Ours.paginate([{ id: 1 }], {}), Paginator)
  })

  test('refuses undefined', ({ assert }) => {
    assert.throws(() => Ours.transform(undefined as never), /Cannot transform undefined value/)
  })

  test('makes no exception for an item', ({ assert }) => {
    assert.equal(
      tracesCaptured(() => Ours.transform({ id: 1 })),
      0
    )
  })

  test("the framework's still does: once it does not, ours can go", ({ assert }) => {
    assert.isAbove(
      tracesCaptured(() => Theirs.transform({ id: 1 })),
      0
    )
  })
})
