import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { readPostgresUrl, tlsOptions, verifies } from '#app/database/postgres_url'

const BASE = 'postgres://ada:s3cret@db.example.com/latchkey'

test.group('The URL of PostgreSQL', (group) => {
  let file: string

  group.setup(() => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-url-'))
    file = join(directory, 'ca.pem')
    writeFileSync(file, 'a certificate')
    return () => rmSync(directory, { recursive: true })
  })

  test('{url} names its servers')
    .with([
      { url: 'postgres://u:p@h/d', hosts: ['h:5432'], database: 'd' },
      { url: 'postgresql://u:p@h:6432/d', hosts: ['h:6432'], database: 'd' },
      { url: 'postgres://u:p@[::1]:6432/d', hosts: ['::1:6432'], database: 'd' },
      { url: 'postgres://u:p@/d?host=/var/run/postgresql', hosts: ['/var/run/postgresql:5432'] },
      { url: 'postgres:///d?host=/run/pg&port=6432', hosts: ['/run/pg:6432'], database: 'd' },
      { url: 'postgres://u:p@%2Frun%2Fpg/d', hosts: ['/run/pg:5432'], database: 'd' },
      { url: 'postgres://u:p@a:1,b:2/d', hosts: ['a:1', 'b:2'], database: 'd' },
      { url: 'postgres://u:p@/d?host=a,b&port=1,2', hosts: ['a:1', 'b:2'], database: 'd' },
      { url: 'postgres://u:p@a,b/d?port=7', hosts: ['a:7', 'b:7'], database: 'd' },
    ])
    .run(({ assert }, { url, hosts, database }) => {
      const read = readPostgresUrl(url)
      assert.deepEqual(
        read.hosts.map(({ host, port }) => `${host}:${port}`),
        hosts
      )
      if (database) assert.equal(read.database, database)
      assert.equal(read.mustBeWritable, hosts.length > 1)
    })

  test('names, passwords and databases are decoded', ({ assert }) => {
    const read = readPostgresUrl('postgres://a%40b:p%2F%3F%25@h/my%20db?application_name=x%20y')
    assert.containsSubset(read, {
      user: 'a@b',
      password: 'p/?%',
      database: 'my db',
      applicationName: 'x y',
    })
  })

  test('sslmode={mode} verifies {verified}')
    .with([
      { mode: 'disable', verified: 'nothing' },
      { mode: 'prefer', verified: 'nothing' },
      { mode: 'require', verified: 'nothing' },
      { mode: 'no-verify', verified: 'nothing' },
      { mode: 'no-verify', root: true, verified: 'nothing' },
      { mode: 'require', root: true, verified: 'authority' },
      { mode: 'verify-ca', root: true, verified: 'authority' },
      { mode: 'verify-full', verified: 'authority and name' },
      { mode: 'verify-full', root: true, verified: 'authority and name' },
    ])
    .run(({ assert }, { mode, root, verified }) => {
      const { tls } = readPostgresUrl(
        `${BASE}?sslmode=${mode}${root ? `&sslrootcert=${file}` : ''}`
      )
      assert.equal(verifies(tls), verified)
      const options = tlsOptions(tls)
      assert.equal(options.rejectUnauthorized, verified !== 'nothing')
      assert.equal(options.checkServerIdentity !== undefined, verified === 'authority')
      assert.equal(options.ca !== undefined, root === true)
    })

  test('{query} is refused: {says}')
    .with([
      { query: 'sslmode=secure', says: 'sslmode is one of' },
      { query: 'sslmode=verify-ca', says: 'sslrootcert' },
      { query: 'sslmode=verify-full&sslrootcert=/none.pem', says: 'can not be read: ENOENT' },
      { query: 'sslmode=require&sslrootcert=system', says: 'verify-full' },
      { query: 'sslcert=/a.pem', says: 'go together' },
      { query: 'ssl=true', says: 'sslmode=require' },
      { query: 'target_session_attrs=standby', says: 'Latchkey writes' },
      { query: 'channel_binding=require', says: 'channel_binding=prefer' },
      { query: 'gssencmode=require', says: 'no GSSAPI' },
      { query: 'load_balance_hosts=random', says: 'in their order' },
      { query: 'statement_timeout=5', says: 'itself' },
      { query: 'pgbouncer=true', says: 'DATABASE_POOLER' },
      { query: 'service=main', says: 'into the URL' },
      { query: 'passwrd=s3cret', says: 'does not know' },
      { query: 'connect_timeout=soon', says: 'number of seconds' },
    ])
    .run(({ assert }, { query, says }) => {
      assert.throws(() => readPostgresUrl(`${BASE}?${query}`), new RegExp(says))
    })

  test('what is wrong is said without a word of the password')
    .with([
      'postgres://ada:s3cret%@h/d',
      'postgres://ada:s3?cret@h/d',
      'postgres://ada:s3/cret@h/d',
      'postgres://ada:s3cret@h:s3cret/d',
      'postgres://ada:s3cret@a:1,b:2,c/d?port=1,2&x',
      'mysql://ada:s3cret@h/d',
      's3cret',
    ])
    .run(({ assert }, url) => {
      const attempt = () => readPostgresUrl(url)
      assert.throws(attempt)
      try {
        attempt()
      } catch (error) {
        assert.notMatch(String(error), /cret|s3/)
      }
    })
})
