import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { connectPostgres } from '#app/database/postgres'
import { startPostgres, type TestPostgres } from '#tests/harness/postgres'

/**
 * An authority of this test, and a certificate of it for 127.0.0.1 under the name `localhost`.
 */
function makeCertificates(directory: string) {
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  for (const name of ['ca', 'other']) {
    const names = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`]
    openssl('req', '-x509', ...key, ...names, '-days', '2')
  }
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  writeFileSync(join(directory, 'names'), 'subjectAltName=DNS:localhost\n')
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'server.csr', ...by, '-out', 'server.pem', '-days', '2')
}

const missing =
  process.env.DB_CONNECTION !== 'postgres'
    ? 'is about PostgreSQL'
    : spawnSync('openssl', ['version']).status !== 0 && 'openssl is not installed'

test.group('TLS to PostgreSQL', (group) => {
  let postgres: TestPostgres
  let directory: string

  group.tap((one) => one.skip(missing !== false, String(missing)).timeout(60_000))
  group.setup(async () => {
    if (missing) return async () => {}
    directory = mkdtempSync(join(tmpdir(), 'latchkey-tls-'))
    makeCertificates(directory)
    postgres = await startPostgres({
      tls: {
        certificate: readFileSync(join(directory, 'server.pem'), 'utf8'),
        key: readFileSync(join(directory, 'server.key'), 'utf8'),
      },
    })
    return async () => {
      await postgres.stop()
      rmSync(directory, { recursive: true })
    }
  })

  const connect = async (host: string, query: string) => {
    const url = new URL(postgres.url)
    url.hostname = host
    url.search = query.replaceAll('DIR', directory)
    const client = await connectPostgres({ url: url.href, pooler: 'none' })
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    await client.end()
    return { encrypted: rows[0].ssl, said: client.server.tls }
  }

  test('{host}?{query} is encrypted: {encrypted}')
    .with([
      { host: '127.0.0.1', query: '', encrypted: true, said: 'on, verified: nothing' },
      { host: '127.0.0.1', query: 'sslmode=disable', encrypted: false, said: 'off' },
      { host: '127.0.0.1', query: 'sslmode=allow', encrypted: false, said: 'off' },
      { host: '127.0.0.1', query: 'sslmode=require', encrypted: true },
      { host: '127.0.0.1', query: 'sslmode=no-verify', encrypted: true },
      {
        ...{ host: '127.0.0.1', query: 'sslmode=verify-ca&sslrootcert=DIR/ca.pem' },
        ...{ encrypted: true, said: 'on, verified: authority' },
      },
      {
        ...{ host: 'localhost', query: 'sslmode=verify-full&sslrootcert=DIR/ca.pem' },
        ...{ encrypted: true, said: 'on, verified: authority and name' },
      },
    ])
    .run(async ({ assert }, { host, query, encrypted, said }) => {
      const found = await connect(host, query)
      assert.equal(found.encrypted, encrypted)
      if (said) assert.equal(found.said, said)
    })

  test('{host}?{query} is refused: {says}')
    .with([
      { host: '127.0.0.1', query: 'sslmode=verify-full', says: /certificate|issuer/ },
      { host: 'localhost', query: 'sslmode=verify-ca&sslrootcert=DIR/other.pem', says: /certif/ },
      { host: 'localhost', query: 'sslmode=require&sslrootcert=DIR/other.pem', says: /certif/ },
      { host: '127.0.0.1', query: 'sslmode=verify-full&sslrootcert=DIR/ca.pem', says: /altnames/ },
    ])
    .run(async ({ assert }, { host, query, says }) => {
      await assert.rejects(() => connect(host, query), says)
    })

  test('a server without TLS is reached in plain text, unless that is forbidden', async ({
    assert,
  }) => {
    const url = (query: string) => `${process.env.DATABASE_URL}?${query}`
    const client = await connectPostgres({ url: url('sslmode=prefer'), pooler: 'none' })
    assert.equal(client.server.tls, 'off')
    await client.end()
    await assert.rejects(
      () => connectPostgres({ url: url('sslmode=require'), pooler: 'none' }),
      /does not support SSL/
    )
  })

  test('of several hosts, the first that answers and takes writes is used', async ({
    assert,
    cleanup,
  }) => {
    const standby = await startPostgres()
    cleanup(() => standby.stop())
    const name = new URL(standby.url).pathname.slice(1)
    const hosts = `127.0.0.1:1,127.0.0.1:${standby.port},127.0.0.1:${postgres.port}`
    const url = `postgres://latchkey:latchkey@${hosts}/${name}`
    const one = await connectPostgres({ url: standby.url, pooler: 'none' })
    await one.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    await one.end()
    const client = await connectPostgres({ url, pooler: 'none' })
    assert.containsSubset(client.server, { port: postgres.port, readOnly: false })
    await client.end()

    const [{ message }, read] = await Promise.all([
      connectPostgres({
        url: url.replace(`,127.0.0.1:${postgres.port}`, ''),
        pooler: 'none',
      }).catch((error) => error),
      connectPostgres({ url: `${url}?target_session_attrs=any`, pooler: 'none' }),
    ])
    assert.match(message, /ECONNREFUSED.+takes no writes/)
    await read.end()
  })

  test('a socket of this machine is found by its directory', async ({ assert }) => {
    const { socketDirectory, port } = postgres
    const url = `postgres://latchkey:latchkey@/latchkey_test?host=${socketDirectory}&port=${port}`
    const client = await connectPostgres({ url, pooler: 'none' })
    assert.containsSubset(client.server, {
      host: socketDirectory,
      tls: 'off',
      database: 'latchkey_test',
    })
    await client.end()
  })
})
