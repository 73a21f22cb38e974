/**
 * Characters that would steer a terminal or fool its reader: control characters (with ANSI's
 * escape and the C1 range), marks that turn the direction of writing, invisible ones, line and
 * paragraph separators, and halves of surrogate pairs. The two joiners stay: scripts and emoji
 * need them and they steer nothing.
 */
const DANGEROUS = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Text from outside (a device's name, an e-mail, a reason) fit for a terminal: each dangerous
 * character stands as `\u{…}`.
 */
export function escapeText(text: string): string {
  return text.replace(DANGEROUS, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/**
 * JSON that says the same and is safe to print: `JSON.stringify` leaves C1 controls and direction
 * marks as they are, so they are written as JSON's own `\uXXXX`.
 */
export function escapeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent)
  return json.replace(DANGEROUS, (character) =>
    character === '\n' ? character : [...unitsOf(character)].map(escapeUnit).join('')
  )
}

function* unitsOf(text: string) {
  for (let index = 0; index < text.length; index++) yield text.charCodeAt(index)
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
