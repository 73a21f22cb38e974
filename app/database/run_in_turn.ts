import type { Database } from 'sqlite3'

type Method = 'all' | 'run' | 'exec'
type Callback = (this: unknown, error: Error | null, ...answer: unknown[]) => void

const ENDS = /\b(COMMIT|ROLLBACK);?$/

/**
 * Has a SQLite connection run statements in the order in which it gets them: the driver has several
 * threads for them, so one begins when the one before it has ended.
 *
 * Transactions take the write lock as they begin, for one that reads first could fail with
 * SQLITE_BUSY later, and they begin without waiting until BEGIN is answered. Should it fail, all
 * that follows fails with it until the transaction ends.
 */
export function runInTurn(connection: Database): void {
  const waiting: (() => void)[] = []
  let running = false
  let notBegun: Error | null = null

  const next = () => {
    const turn = waiting.shift()
    running = turn !== undefined
    turn?.()
  }

  const inTurn = (method: Method) => {
    const call = connection[method].bind(connection) as (...args: unknown[]) => unknown
    return (sql: string, ...rest: unknown[]) => {
      const done = typeof rest.at(-1) === 'function' ? (rest.pop() as Callback) : undefined
      const begins = sql === 'BEGIN;'
      const answered: Callback = function (error, ...answer) {
        next()
        if (!begins) done?.call(this, error, ...answer)
      }
      waiting.push(() => {
        if (begins) {
          call('BEGIN IMMEDIATE', (error: Error | null) => {
            notBegun = error
            answered(error)
          })
        } else if (notBegun) {
          const fault = sql.startsWith('ROLLBACK') ? null : notBegun
          if (ENDS.test(sql)) notBegun = null
          answered.call(connection, fault)
        } else call(sql, ...rest, answered)
      })
      if (!running) next()
      if (begins) queueMicrotask(() => done?.call(connection, null, []))
      return connection
    }
  }
  connection.all = inTurn('all') as Database['all']
  connection.run = inTurn('run') as Database['run']
  connection.exec = inTurn('exec') as Database['exec']
}
