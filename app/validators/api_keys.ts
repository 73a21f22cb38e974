import vine from '@vinejs/vine'
import type { FieldContext } from '@vinejs/vine/types'
import { parseDuration } from '#start/env_rules'
import * as rules from '#validators/rules'

/**
 * The longest time that a key may be given, in milliseconds: a hundred years.
 */
const LONGEST = 100 * 365 * 24 * 60 * 60 * 1000

/**
 * Milliseconds of a number of seconds, or of a duration such as `90d`; undefined for neither.
 */
function toMilliseconds(value: unknown): number | undefined {
  const milliseconds =
    typeof value === 'string'
      ? parseDuration(value)
      : Number.isInteger(value)
        ? Number(value) * 1000
        : undefined
  return milliseconds !== undefined && milliseconds >= 1000 && milliseconds <= LONGEST
    ? milliseconds
    : undefined
}

const lifetime = vine.createRule((value: unknown, _: undefined, field: FieldContext) => {
  const milliseconds = toMilliseconds(value)
  if (milliseconds === undefined) {
    field.report(
      'The {{ field }} field must be a number of seconds, or a duration such as 90d',
      'lifetime',
      field
    )
  } else {
    field.mutate(milliseconds, field)
  }
})

export const apiKeyValidator = vine.create({
  name: rules.name().minLength(1),
  description: rules.name(1000).nullable().optional(),
  abilities: vine.array(vine.string().maxLength(64)).minLength(1).maxLength(50).optional(),
  expiresIn: vine.any().use(lifetime()).nullable().optional(),
})
