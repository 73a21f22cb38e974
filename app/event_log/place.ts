/**
 * A place in the log: everything up to one entry has been read. It carries the name of the log and
 * the position and the random mark of that entry, so that a reader who comes back with it notices when
 * the log is not the one any more that they have read, as after a restore (`readEvents`).
 */
export type EventPlace = { log: string; position: number; mark: string }

/**
 * A place as readers keep it: one word, opaque, so that what is inside may change.
 */
export function formatPlace({ log, position, mark }: EventPlace): string {
  return Buffer.from(`2:${log}:${position}:${mark}`).toString('base64url')
}

/**
 * The place behind such a word. `gone` for one of version 0.1, whose places named transactions of one
 * PostgreSQL cluster; null when it is none of ours.
 */
export function parsePlace(word: string): EventPlace | 'gone' | null {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(word)) return null
  const text = Buffer.from(word, 'base64url').toString('latin1')
  if (Buffer.from(text, 'latin1').toString('base64url') !== word) return null
  if (/^1:\d{1,15}:\d{1,15}$/.test(text)) return 'gone'
  const [, log, position, mark] =
    /^2:([0-9a-f]{0,16}):([1-9]\d{0,14}):([0-9a-f]{16})$/.exec(text) ?? []
  return mark === undefined ? null : { log, position: Number(position), mark }
}
