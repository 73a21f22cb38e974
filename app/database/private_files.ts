import { chmodSync, closeSync, openSync, statSync } from 'node:fs'

/**
 * For the owner alone: a database holds addresses and devices of people, a `.env` keys.
 */
const PRIVATE = 0o600

/**
 * Makes a file for SQLite to fill before SQLite does, which would let others read it.
 */
export function createPrivately(file: string): void {
  closeSync(openSync(file, 'wx', PRIVATE))
}

/**
 * Takes the rights of others to a new, still empty database away. SQLite gives the files beside it
 * (`-wal`, `-shm`) the same rights. One that has content stays as it is: whoever gave it other rights
 * may need them.
 */
export function makePrivateWhenNew(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) chmodSync(file, PRIVATE)
}

/**
 * Those of some files that others than their owner may read. Windows has no such rights.
 */
export function readableByOthers(files: string[]): string[] {
  if (process.platform === 'win32') return []
  return files.filter(
    (file) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0
  )
}
