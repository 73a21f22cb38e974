import { E_VALIDATION_ERROR } from '#exceptions/errors'

/**
 * Throws `E_VALIDATION_ERROR` for fields that a route does not know. Where a filter chooses what
 * ends, one that is misspelt and passed over would end more than was meant.
 */
export function refuseUnknownFields(
  given: Record<string, unknown>,
  known: readonly string[]
): void {
  const unknown = Object.keys(given).filter((field) => !known.includes(field))
  if (unknown.length === 0) return
  throw new E_VALIDATION_ERROR(
    unknown.slice(0, 10).map((name) => {
      const field = name.slice(0, 100)
      return {
        field,
        rule: 'unknown',
        message: `There is no field ${field} here. Nothing was changed.`,
      }
    })
  )
}
