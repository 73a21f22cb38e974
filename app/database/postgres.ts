import pg from 'pg'
import {
  leaveReadOnlyServer,
  noteServer,
  READ_ONLY,
  watchServer,
} from '#app/database/postgres_server'
import {
  isEncrypted,
  readPostgresUrl,
  tlsOptions,
  verifies,
  type PostgresHost,
  type PostgresUrl,
} from '#app/database/postgres_url'

/**
 * Milliseconds after which PostgreSQL ends a statement, and a lookup, which takes a fraction of one
 * otherwise.
 */
const STATEMENT_TIMEOUT_MS = 10_000
export const LOOKUP_TIMEOUT_MS = 5_000

/**
 * Milliseconds after which PostgreSQL ends a transaction in which nothing happens. It frees the rows
 * that a node holds which stands still or is cut off in the middle: other nodes would wait for them
 * until TCP gives up.
 */
const IDLE_IN_TRANSACTION_MS = 5_000

/**
 * Milliseconds for connecting to one server; where another one can be tried, less.
 */
const CONNECT_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_OF_SEVERAL_MS = 3_000

/**
 * Milliseconds after which a node stops waiting for the answer to a statement. The limits that the
 * server keeps are of no use when it hangs, or when the network swallows what it says; but while it
 * can speak, it says better what was wrong, so it gets a second more.
 *
 * Internal of pg: on a pipelined connection it then also closes the connection, so that the pool
 * makes another. `postgresTimeout` (#app/database/internals) checks that.
 */
const queryTimeout = (statementTimeout: number) =>
  statementTimeout === 0 ? 0 : statementTimeout + 1_000

/**
 * What stands between: `transaction` is a pooler that may give each transaction another connection of
 * the server, so none keeps settings, prepared statements, LISTEN or locks of a session.
 */
export type Pooler = 'none' | 'session' | 'transaction'

/**
 * How to connect. `settings` are set on the connection besides those that every one has; behind a
 * pooler of transactions they are left out.
 */
export type PostgresOptions = {
  url: string
  pooler: Pooler
  applicationName?: string
  /** In milliseconds; 0 is none. */
  statementTimeout?: number
  settings?: Record<string, string | number>
}

/**
 * What the connection found at the other end.
 */
export type PostgresServer = PostgresHost & {
  database?: string
  user?: string
  tls: string
  /** As `server_version_num` says it: 140000 is 14.0. */
  version: number
  /** Whether it takes no writes: a standby, or `default_transaction_read_only`. */
  readOnly: boolean
  /** Whether a pooler answers in its place. */
  pooled: boolean
}

/**
 * What every connection sets: whatever the role or the database has set for itself, the
 * application's statements mean the same. READ COMMITTED: what waited for a row's lock then sees what
 * the holder has written. A warning says that a COMMIT is on no standby, so it must reach us.
 */
function settingsOf({ statementTimeout, settings }: PostgresOptions) {
  return {
    default_transaction_isolation: `'read committed'`,
    ...settingsWithin(statementTimeout),
    ...settings,
  }
}

/**
 * Those of them that a transaction can set for itself.
 */
function settingsWithin(statementTimeout = STATEMENT_TIMEOUT_MS) {
  return {
    statement_timeout: statementTimeout,
    lock_timeout: 0,
    client_min_messages: 'notice',
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  }
}

/**
 * The same for one transaction, which it must open: behind a pooler of transactions.
 */
export const TRANSACTION_SETTINGS = [
  'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
  ...Object.entries(settingsWithin()).map(([name, value]) => `SET LOCAL ${name} = ${value}`),
].join('; ')

/**
 * In the startup packet, where they go before what the role has set. PgBouncer lets these pass and
 * keeps them for each of its clients, whatever its mode.
 */
const STARTUP = { DateStyle: 'ISO, MDY', TimeZone: 'UTC', standard_conforming_strings: 'on' }

type StartupPacket = { getStartupConf(): Record<string, string> }

/**
 * How often a statement is sent that PostgreSQL can't bring in line with others (40001).
 */
const ATTEMPTS = 10

/**
 * A connection. Behind a pooler of transactions it names no statement, and sends one again that is a
 * transaction of its own and failed because the role's isolation level is stricter than ours.
 *
 * Internal of pg: what `getStartupConf` gives goes into the startup packet. `postgresStartup`
 * (#app/database/internals) checks that.
 */
export class PostgresClient extends pg.Client {
  readonly #pooler: Pooler
  server!: PostgresServer

  constructor(config: pg.ClientConfig, pooler: Pooler) {
    super(config)
    this.#pooler = pooler
  }

  getStartupConf(): Record<string, string> {
    const inherited = pg.Client.prototype as unknown as StartupPacket
    return { ...inherited.getStartupConf.call(this), ...STARTUP }
  }

  override query(...given: any[]): any {
    if (this.#pooler !== 'transaction') return this.#send(...given)
    const [query, values, last = values] = given
    const config = typeof query === 'string' ? { text: query } : { ...query, name: undefined }
    if (Array.isArray(values)) config.values = values
    const alone = this.getTransactionStatus() === 'I'
    const attempt = (left: number): Promise<unknown> =>
      this.#send(config).catch((error: { code?: string }) => {
        if (error.code !== '40001' || !alone || left === 1) throw error
        return attempt(left - 1)
      })
    const answer = attempt(ATTEMPTS)
    if (typeof last !== 'function') return answer
    answer.then((result) => last(null, result), last)
  }

  #send(...given: any[]): any {
    return (super.query as (...all: any[]) => any)(...given)
  }
}

/**
 * By URL, which of its hosts served last: where one is gone, the next connection does not wait for
 * it again.
 */
const served = new Map<string, number>()

/**
 * Connects: to the first of the URL's hosts that answers and, where that matters, takes writes. Every
 * connection to PostgreSQL is made here. Throws what the host said; of several hosts, what each said.
 */
export async function connectPostgres(options: PostgresOptions): Promise<PostgresClient> {
  const url = readPostgresUrl(options.url)
  const first = served.get(options.url) ?? 0
  const failures: Error[] = []
  for (let tried = 0; tried < url.hosts.length; tried++) {
    const index = (first + tried) % url.hosts.length
    try {
      const client = await connectToHost(url, url.hosts[index], options)
      served.set(options.url, index)
      return client
    } catch (error) {
      failures.push(error as Error)
    }
  }
  if (failures.every((error) => (error as { code?: string }).code === '25006'))
    leaveReadOnlyServer()
  if (failures.length === 1) throw failures[0]
  throw new AggregateError(failures, failures.map(({ message }) => message).join('; '))
}

/**
 * Tries TLS and plain text in the order that `sslmode` gives. A socket of this machine needs no TLS.
 */
async function connectToHost(url: PostgresUrl, host: PostgresHost, options: PostgresOptions) {
  const { mode } = url.tls
  if (mode === 'disable' || host.host.startsWith('/')) return open(url, host, false, options)
  if (isEncrypted(url.tls)) return open(url, host, true, options)
  const tlsFirst = mode === 'prefer'
  try {
    return await open(url, host, tlsFirst, options)
  } catch (error) {
    if (!isAboutTls(error as { code?: string; syscall?: string })) throw error
    return open(url, host, !tlsFirst, options)
  }
}

/**
 * Whether the other kind of connection may fare better: the server has no TLS, the handshake failed,
 * or pg_hba.conf lets in one kind alone (28000).
 */
function isAboutTls({ code, syscall }: { code?: string; syscall?: string }): boolean {
  return !syscall && (code === undefined || code === '28000' || /^(ERR_|EPROTO)/.test(code))
}

async function open(
  url: PostgresUrl,
  host: PostgresHost,
  encrypted: boolean,
  options: PostgresOptions
): Promise<PostgresClient> {
  const statementTimeout = options.statementTimeout ?? STATEMENT_TIMEOUT_MS
  const client = new PostgresClient(
    {
      ...host,
      user: url.user,
      password: url.password,
      database: url.database,
      application_name: url.applicationName ?? options.applicationName ?? 'latchkey',
      options: url.options,
      ssl: encrypted ? tlsOptions(url.tls) : false,
      ...(encrypted && url.tls.direct && { sslnegotiation: 'direct' as const }),
      enableChannelBinding: url.channelBinding,
      connectionTimeoutMillis:
        url.connectTimeoutMs ??
        (url.hosts.length > 1 ? CONNECT_TIMEOUT_OF_SEVERAL_MS : CONNECT_TIMEOUT_MS),
      query_timeout: queryTimeout(statementTimeout),
      keepAlive: url.keepAlive,
      keepAliveInitialDelayMillis: url.keepAliveIdleMs,
      pipeline: true,
    } as pg.ClientConfig,
    options.pooler
  )
  /**
   * Between here and the pool nobody listens, and an error that nobody hears ends the process. The driver
   * gives a connection that broke no code.
   */
  client.on('error', (error: Error & { code?: string }) => void (error.code ??= '08006'))
  try {
    await client.connect()
    /** Not before: pg never answers `connect` of a client that was given up meanwhile. */
    watchServer(client)
    const { server, ...found } = await prepare(client, options)
    if (found.readOnly) {
      throw Object.assign(new Error(`${host.host}:${host.port} takes no writes`), { code: '25006' })
    }
    noteServer(client, server)
    client.server = {
      ...host,
      database: client.database,
      user: client.user,
      tls: encrypted ? `on, verified: ${verifies(url.tls)}` : 'off',
      ...found,
    }
    return client
  } catch (error) {
    client.end().catch(() => {})
    /** The driver gives this error no code. */
    if ((error as Error).message === 'timeout expired') Object.assign(error!, { code: 'ETIMEDOUT' })
    throw error
  }
}

/**
 * Settings and questions in one round trip.
 */
async function prepare(client: PostgresClient, options: PostgresOptions) {
  const settings = options.pooler === 'transaction' ? {} : settingsOf(options)
  const sets = Object.entries(settings).map(([name, value]) => `SET ${name} = ${value};`)
  const answer = await client.query(
    `${sets.join(' ')} SELECT pg_backend_pid() AS pid,
       current_setting('server_version_num')::int AS version,
       extract(epoch FROM pg_postmaster_start_time())::text AS server,
       ${READ_ONLY} = 'on' AS read_only`
  )
  const [{ pid, version, server, read_only: readOnly }] = [answer].flat().at(-1).rows
  /** A pooler tells its clients a number of its own, with which they cancel statements. */
  const { processID } = client as unknown as { processID: number | null }
  return {
    version: version as number,
    server: server as string,
    readOnly: readOnly as boolean,
    pooled: pid !== processID,
  }
}

/**
 * Settings of a connection for lookups. A lookup always goes by unique indexes; while tables are small
 * the planner would rather read whole ones, and it would plan anew for every statement.
 */
export const LOOKUP_SETTINGS = { enable_seqscan: 'off', plan_cache_mode: 'force_generic_plan' }

type KnexClient = { acquireRawConnection(): Promise<unknown> }
type PooledClient = PostgresClient & { __knex__disposed?: unknown }

/**
 * Has a pool of knex get its connections from `connectPostgres`.
 *
 * Internal of knex: its pool makes connections by `acquireRawConnection` of its client, and drops
 * those that have `__knex__disposed`. `acquiredConnections` (#app/database/internals) checks that.
 */
export function connectPoolBy(client: KnexClient, options: PostgresOptions): void {
  client.acquireRawConnection = async () => {
    const connection: PooledClient = await connectPostgres(options)
    connection.on('error', (error) => (connection.__knex__disposed = error))
    connection.on('end', () => (connection.__knex__disposed ??= 'The connection ended.'))
    return connection
  }
}
