import type { Database, Statement } from 'sqlite3'

/**
 * Statements that one connection keeps: more than the application has.
 */
const MOST = 200

type Method = 'all' | 'run'
type Callback = (this: Statement, error: Error | null, rows?: unknown[]) => void

/**
 * Has a SQLite connection keep its statements, so that one that comes again is not compiled again,
 * which for a small one takes as long as it takes to run. The one used longest ago goes when there
 * are too many. SQLite by itself compiles again what a changed schema made outdated, and refuses to
 * close a connection before its statements are finalized.
 */
export function keepPrepared(connection: Database): void {
  const kept = new Map<string, Statement>()

  const forget = (sql: string) => {
    kept.get(sql)?.finalize()
    kept.delete(sql)
  }

  const take = (sql: string, failed: (error: Error) => void): Statement => {
    let statement = kept.get(sql)
    kept.delete(sql)
    statement ??= connection.prepare(sql, (error: Error | null) => {
      if (!error) return
      kept.delete(sql)
      failed(error)
    })
    kept.set(sql, statement)
    if (kept.size > MOST) forget(kept.keys().next().value!)
    return statement
  }

  /** One that failed may be left in the middle: it is not used again. */
  const byKept = (method: Method) => (sql: string, values?: unknown, callback?: Callback) => {
    const [bound, done] =
      typeof values === 'function' ? [[], values as Callback] : [values ?? [], callback]
    const statement = take(sql, (error) => done?.call(statement, error))
    statement[method](bound, function (this: Statement, error: Error | null, rows?: unknown[]) {
      if (error && kept.get(sql) === this) forget(sql)
      done?.call(this, error, rows)
    })
    return connection
  }
  connection.all = byKept('all') as Database['all']
  connection.run = byKept('run') as Database['run']

  const close = connection.close.bind(connection)
  connection.close = (done) => {
    for (const sql of [...kept.keys()]) forget(sql)
    close(done)
  }
}
