import { accessSync, constants, statSync } from 'node:fs'
import type { Database } from 'sqlite3'

/**
 * Milliseconds between two looks at the file.
 */
const LOOK_EVERY = 100

type Identity = { dev: number; ino: number }
type Fault = Error & { code: string }

/**
 * The files that this process has open, as they were when it opened them, and how many connections
 * have: with the last of them SQLite removes its log.
 */
const opened = new Map<string, Identity>()
const connections = new Map<string, number>()
const looks = new Map<string, { at: number; fault?: Fault }>()

/**
 * Notes which files stand behind a new connection: the database, and the log beside it.
 */
export function noteOpened(connection: Database, file: string): void {
  const paths = [file, `${file}-wal`]
  for (const path of paths) {
    const found = identityOf(path)
    if (found && !opened.has(path)) opened.set(path, found)
  }
  const count = (by: number) => connections.set(file, (connections.get(file) ?? 0) + by).get(file)
  count(1)
  connection.once('close', () => {
    if (count(-1) === 0) for (const path of paths) opened.delete(path)
  })
  looks.delete(file)
}

/**
 * Throws when the file that stands where the database was opened is another one by now, or none:
 * SQLite would go on with the old one, which nobody else sees and which is gone with this process.
 * Throws also when it can't be written any more. `mayCreate`: a file that was never there is fine.
 */
export function assertInPlace(file: string, options: { mayCreate: boolean }): void {
  let look = looks.get(file)
  const now = performance.now()
  if (!look || now - look.at > LOOK_EVERY) {
    look = { at: now, fault: faultOf(file, options.mayCreate) }
    looks.set(file, look)
  }
  if (look.fault) throw look.fault
}

function faultOf(file: string, mayCreate: boolean): Fault | undefined {
  for (const path of [file, `${file}-wal`]) {
    const before = opened.get(path)
    const now = before && identityOf(path)
    if (before && (now?.dev !== before.dev || now.ino !== before.ino)) {
      return fault('The database file was replaced or removed.', 'SQLITE_READONLY_DBMOVED')
    }
  }
  if (!identityOf(file)) {
    return mayCreate ? undefined : fault('There is no database file.', 'SQLITE_CANTOPEN')
  }
  try {
    accessSync(file, constants.W_OK)
  } catch {
    return fault('The database file can not be written.', 'SQLITE_READONLY')
  }
}

function identityOf(path: string): Identity | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && { dev: found.dev, ino: found.ino }
}

function fault(message: string, code: string): Fault {
  return Object.assign(new Error(message), { code })
}
