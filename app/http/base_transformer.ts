import { RuntimeException } from '@adonisjs/core/exceptions'
import {
  BaseTransformer as FrameworkTransformer,
  Collection,
  Item,
  Maybe,
  Paginator,
} from '@adonisjs/core/transformers'

/**
 * What the framework's constructors want and only a value of `undefined` would throw, which is
 * refused before.
 */
const unused = new RuntimeException()

/**
 * The framework's transformer, to the letter of its types. That one makes an exception with two
 * stack traces for every item, in case the item is undefined, which was the most expensive part of
 * a checked request.
 */
export abstract class BaseTransformer<Resource> extends FrameworkTransformer<Resource> {
  static transform: typeof FrameworkTransformer.transform = function (
    this: any,
    data: unknown,
    ...rest: unknown[]
  ): any {
    const value = data instanceof Maybe ? data.value : data
    if (value === null) return null
    if (value === undefined) {
      if (data instanceof Maybe) return undefined
      throw new RuntimeException(
        'Cannot transform undefined value. Use "this.whenLoaded(value)" to allow undefined values'
      )
    }
    return Array.isArray(value)
      ? new Collection([value, rest], this, 1, 'toObject', unused)
      : new Item([value, rest], this, 1, 'toObject', unused)
  }

  static paginate: typeof FrameworkTransformer.paginate = function (
    this: any,
    data: unknown[],
    meta: Record<string, any>,
    ...rest: unknown[]
  ): any {
    return new Paginator(new Collection([data, rest], this, 1, 'toObject', unused), meta)
  }
}
