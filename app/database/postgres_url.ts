import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

/**
 * Where a server listens: a name or an address, or the directory of a Unix socket.
 */
export type PostgresHost = { host: string; port: number }

/**
 * What a connection URL says, in the words of libpq. What it leaves out comes from libpq's
 * environment variables (`PGUSER` and the like), as the driver reads them.
 */
export type PostgresUrl = {
  /** In the order in which they are tried. */
  hosts: PostgresHost[]
  user?: string
  password?: string
  database?: string
  applicationName?: string
  /** The `options` of the startup packet, such as `-c search_path=latchkey`. */
  options?: string
  connectTimeoutMs?: number
  /** Whether a server that takes no writes is passed over. */
  mustBeWritable: boolean
  keepAlive: boolean
  keepAliveIdleMs?: number
  channelBinding: boolean
  tls: Tls
}

type Tls = {
  mode: (typeof SSL_MODES)[number]
  direct: boolean
  rootCertificate?: string
  certificate?: string
  key?: string
  keyPassword?: string
  revocations?: string
  oldest?: string
  newest?: string
}

const SSL_MODES = [
  'disable',
  'allow',
  'prefer',
  'require',
  'no-verify',
  'verify-ca',
  'verify-full',
] as const

const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/**
 * Parameters of libpq that can't be kept, and why. Some have a value that asks for nothing.
 */
const REFUSED: Record<string, { unless?: string[]; reason: string }> = {
  hostaddr: { reason: 'write the address as host' },
  passfile: { reason: 'write the password into the URL, or name the file in PGPASSFILE' },
  service: { reason: 'write what the service says into the URL' },
  servicefile: { reason: 'write what the service says into the URL' },
  ssl: { reason: 'write sslmode=require (encrypted) or sslmode=verify-full (and verified)' },
  requiressl: { reason: 'write sslmode=require' },
  sslcrldir: { reason: 'name one file with sslcrl' },
  sslcertmode: { unless: ['allow'], reason: 'leave sslcert out to send no certificate' },
  sslcompression: { unless: ['0'], reason: 'nothing is compressed' },
  sslsni: { unless: ['1'], reason: "the server's name is always sent" },
  gssencmode: { unless: ['disable', 'prefer'], reason: 'the driver has no GSSAPI' },
  krbsrvname: { reason: 'the driver has no GSSAPI' },
  gsslib: { reason: 'the driver has no GSSAPI' },
  gssdelegation: { unless: ['0'], reason: 'the driver has no GSSAPI' },
  require_auth: { reason: 'the driver answers whatever the server asks for' },
  requirepeer: { reason: 'the driver can not check the owner of a socket' },
  channel_binding: {
    unless: ['disable', 'prefer'],
    reason: 'the driver can not insist on it: write channel_binding=prefer and sslmode=verify-full',
  },
  client_encoding: { unless: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'], reason: 'it is UTF8' },
  replication: { unless: ['false', 'off', 'no', '0'], reason: 'Latchkey sends statements' },
  load_balance_hosts: { unless: ['disable'], reason: 'the hosts are tried in their order' },
  keepalives_interval: { reason: 'the system decides: net.ipv4.tcp_keepalive_intvl' },
  keepalives_count: { reason: 'the system decides: net.ipv4.tcp_keepalive_probes' },
  tcp_user_timeout: { reason: 'answers that do not come are given up by the application' },
  statement_timeout: { reason: 'the application sets it itself' },
  lock_timeout: { reason: 'the application sets it itself' },
  idle_in_transaction_session_timeout: { reason: 'the application sets it itself' },
  query_timeout: { reason: 'the application sets it itself' },
  pgbouncer: { reason: 'say DATABASE_POOLER=session or transaction' },
  schema: { reason: 'write options=-c search_path=…, or ALTER ROLE … SET search_path' },
}

/**
 * Parameters that are read below.
 */
const READ = new Set([
  ...['host', 'port', 'user', 'password', 'dbname', 'application_name', 'options'],
  ...['fallback_application_name', 'connect_timeout', 'target_session_attrs'],
  ...['keepalives', 'keepalives_idle', 'sslmode', 'sslnegotiation', 'sslrootcert', 'sslcert'],
  ...['sslkey', 'sslpassword', 'sslcrl', 'ssl_min_protocol_version', 'ssl_max_protocol_version'],
  'uselibpqcompat',
])

const FORM = 'a postgres:// or postgresql:// URL, such as postgres://user:password@host:5432/name'

/**
 * Reads a connection URL as libpq does (https://www.postgresql.org/docs/current/libpq-connect.html);
 * `sslmode=no-verify`, which is the driver's own word, is `require` that looks at no certificate.
 * Throws an error that says what can't be kept and why; it quotes no value, for one may be a secret.
 */
export function readPostgresUrl(url: string): PostgresUrl {
  const [, credentials, authority, path = '', query = ''] =
    /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url.trim()) ?? []
  if (authority === undefined) throw new Error(`write ${FORM}`)

  const parameters = readParameters(query)
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(credentials ?? '') ?? []
  const attributes = parameters.get('target_session_attrs') ?? ''
  if (!['', 'any', 'read-write', 'primary'].includes(attributes)) {
    throw new Error('target_session_attrs is read-write, primary or any: Latchkey writes')
  }
  const hosts = readHosts(authority, parameters)
  return {
    hosts,
    user: parameters.get('user') ?? decode(user),
    password: parameters.get('password') ?? decode(password),
    database: parameters.get('dbname') ?? decode(path),
    applicationName:
      parameters.get('application_name') ?? parameters.get('fallback_application_name'),
    options: parameters.get('options'),
    connectTimeoutMs: readSeconds(parameters, 'connect_timeout'),
    mustBeWritable: attributes === '' ? hosts.length > 1 : attributes !== 'any',
    keepAlive: parameters.get('keepalives') !== '0',
    keepAliveIdleMs: readSeconds(parameters, 'keepalives_idle'),
    channelBinding: parameters.get('channel_binding') !== 'disable',
    tls: readTls(parameters),
  }
}

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const part of query.split('&')) {
    if (part === '') continue
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(part) ?? []
    const refused = REFUSED[name ?? '']
    const text = decode(value) ?? ''
    if (refused && !refused.unless?.includes(text)) {
      throw new Error(`${name} can not be kept: ${refused.reason}`)
    }
    if (!name || (!refused && !READ.has(name))) {
      throw new Error(
        'it has a parameter that PostgreSQL does not know; in a password, write ? as %3F'
      )
    }
    if (text !== '') parameters.set(name, text)
  }
  return parameters
}

/**
 * `host1:port1,host2`, or lists of hosts and ports as parameters, which come first. An empty host is
 * what `PGHOST` says, or this machine.
 */
function readHosts(authority: string, parameters: Map<string, string>): PostgresHost[] {
  const pairs = authority.split(',').map((part) => {
    const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(part) ?? []
    if (host === undefined) {
      throw new Error('its host is wrong: in a password, write / as %2F and : as %3A')
    }
    return { host: decode(host.replace(/^\[(.*)\]$/, '$1')), port }
  })
  const hosts = parameters.get('host')?.split(',') ?? pairs.map(({ host }) => host)
  const ports = parameters.get('port')?.split(',') ?? pairs.map(({ port }) => port)
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new Error('it has as many ports as hosts, or one for all')
  }
  return hosts.map((host, index) => {
    const port = (ports.length === 1 ? ports[0] : ports[index]) || process.env.PGPORT || '5432'
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
      throw new Error(
        'a port of it is not a number from 1 to 65535; in a password, write / as %2F and ? as %3F'
      )
    }
    return { host: host || process.env.PGHOST || 'localhost', port: Number(port) }
  })
}

function readTls(parameters: Map<string, string>): Tls {
  const mode = (parameters.get('sslmode') ?? process.env.PGSSLMODE ?? 'prefer') as Tls['mode']
  if (!SSL_MODES.includes(mode)) throw new Error(`sslmode is one of ${SSL_MODES.join(', ')}`)
  const tls: Tls = {
    mode,
    direct: parameters.get('sslnegotiation') === 'direct',
    rootCertificate: parameters.get('sslrootcert') ?? process.env.PGSSLROOTCERT,
    certificate: parameters.get('sslcert') ?? process.env.PGSSLCERT,
    key: parameters.get('sslkey') ?? process.env.PGSSLKEY,
    keyPassword: parameters.get('sslpassword'),
    revocations: parameters.get('sslcrl'),
    oldest: parameters.get('ssl_min_protocol_version'),
    newest: parameters.get('ssl_max_protocol_version'),
  }
  if (tls.direct && !isEncrypted(tls)) {
    throw new Error('sslnegotiation=direct wants sslmode=require or stronger')
  }
  if (tls.rootCertificate === 'system' && mode !== 'verify-full') {
    throw new Error('sslrootcert=system wants sslmode=verify-full')
  }
  if (mode === 'verify-ca' && !tls.rootCertificate) {
    throw new Error('sslmode=verify-ca wants the authority in sslrootcert; or write verify-full')
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined)) {
    throw new Error('sslcert and sslkey go together')
  }
  for (const version of [tls.oldest, tls.newest]) {
    if (version !== undefined && !TLS_VERSIONS.includes(version)) {
      throw new Error(`a version of TLS is one of ${TLS_VERSIONS.join(', ')}`)
    }
  }
  if (mode !== 'disable') tlsOptions(tls)
  return tls
}

/**
 * Whether a connection in plain text is out of the question.
 */
export function isEncrypted({ mode }: Pick<Tls, 'mode'>): boolean {
  return !['disable', 'allow', 'prefer'].includes(mode)
}

/**
 * What is verified of the server's certificate. As in libpq, `require` with an authority is
 * `verify-ca`.
 */
export function verifies(tls: Tls): 'nothing' | 'authority' | 'authority and name' {
  if (tls.mode === 'verify-full') return 'authority and name'
  if (tls.mode === 'verify-ca') return 'authority'
  return tls.mode === 'require' && tls.rootCertificate ? 'authority' : 'nothing'
}

/**
 * The same for Node.js. Files are read anew for each connection, so renewed certificates are taken
 * up. Without `sslrootcert` the authorities are those that Node.js knows.
 */
export function tlsOptions(tls: Tls): ConnectionOptions {
  const verified = verifies(tls)
  const read = (name: string, file?: string) => {
    if (file === undefined) return undefined
    try {
      return readFileSync(file)
    } catch (error) {
      throw new Error(`${name} can not be read: ${(error as { code?: string }).code}`)
    }
  }
  const root = tls.rootCertificate === 'system' ? undefined : tls.rootCertificate
  const options: ConnectionOptions = {
    rejectUnauthorized: verified !== 'nothing',
    ca: read('sslrootcert', root),
    cert: read('sslcert', tls.certificate),
    key: read('sslkey', tls.key),
    passphrase: tls.keyPassword,
    crl: read('sslcrl', tls.revocations),
    minVersion: tls.oldest as ConnectionOptions['minVersion'],
    maxVersion: tls.newest as ConnectionOptions['maxVersion'],
    ...(verified === 'authority' && { checkServerIdentity: () => undefined }),
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function readSeconds(parameters: Map<string, string>, name: string): number | undefined {
  const value = parameters.get(name)
  if (value === undefined || value === '0') return undefined
  if (!/^\d{1,5}$/.test(value)) throw new Error(`${name} is a number of seconds`)
  return Number(value) * 1_000
}

/**
 * Undefined for nothing.
 */
function decode(text: string | undefined): string | undefined {
  if (!text) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('it has a % that is not followed by two hexadecimal digits: write it as %25')
  }
}
