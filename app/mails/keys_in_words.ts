import { oneLine } from '#mails/wording'

/**
 * Keys that a mail names; of more it says how many.
 */
const NAMED = 10

/**
 * The lines of a mail about a person's API keys, which outlive what the mail is about; none where
 * there are no keys.
 */
export function keysInWords(names: string[]): string[] {
  if (names.length === 0) return []
  const more = names.length - NAMED
  return [
    '',
    'These API keys of your account live on. Delete those that you do not know',
    '(DELETE /api/v1/api-keys/:id, or on the page of your devices):',
    ...names.slice(0, NAMED).map((name) => `  ${oneLine(name)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}
