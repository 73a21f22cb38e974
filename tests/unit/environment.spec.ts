import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { programOf } from '#tests/harness/compiled'
import { until } from '#tests/harness/until'
import { startServer } from '#tests/harness/server'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Starts the server, or the part of it that reads the variables, with the given ones on top of the
 * run's own.
 */
function startWith(
  env: Record<string, string>,
  file: Parameters<typeof programOf>[0] = 'start/env'
) {
  const { cwd, args } = programOf(file)
  return spawnSync(process.execPath, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PORT: '0', ...env },
    timeout: 20_000,
  })
}

test.group('Environment', (group) => {
  group.tap((one) => one.timeout(60_000))

  test('{name}={value} stops the start with one line that says what is allowed')
    .with([
      { name: 'PORT', value: '70000', allowed: 'a whole number from 0 to 65535' },
      { name: 'SESSION_LIMIT', value: '-1', allowed: 'a whole number from 0 to 100000' },
      { name: 'SESSION_ON_LIMIT', value: 'maybe', allowed: 'evict | reject' },
      { name: 'SESSION_LIMIT_PER_PLATFORM', value: 'ios:1', allowed: 'ios=1,android=1,web=2' },
      { name: 'API_KEY_ABILITIES', value: 'orders:read,*', allowed: 'account:read,orders:write' },
      { name: 'API_KEY_ABILITIES', value: 'Orders Read', allowed: 'account:read,orders:write' },
      { name: 'ACCESS_TOKEN_TTL', value: '1 hour', allowed: '30s, 15m, 1h or 30d' },
      { name: 'REFRESH_TOKEN_TTL', value: 'never', allowed: 'or 0 (no refresh tokens)' },
      { name: 'RATE_LIMIT_SIGN_IN', value: '10', allowed: 'COUNT/DURATION such as 10/1m, or off' },
      { name: 'APP_URL', value: 'localhost:3333', allowed: 'http:// or https://' },
      { name: 'TRUST_PROXY', value: 'nginx', allowed: 'loopback, linklocal, uniquelocal' },
      { name: 'LEGACY_JWT_ALGORITHMS', value: 'none', allowed: 'HS256, RS256' },
      { name: 'LEGACY_JWT_USER', value: 'sub', allowed: 'email | id | external' },
      { name: 'LEGACY_JWT_UNTIL', value: 'soon', allowed: '2027-01-31' },
      { name: 'DOCS', value: 'no', allowed: 'on | off' },
    ])
    .run(({ assert }, { name, value, allowed }) => {
      const { status, stdout, stderr } = startWith({ [name]: value })
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /^[^\n]+\n$/)
      assert.include(stderr, `${name}=${JSON.stringify(value)}`)
      assert.include(stderr, allowed)
    })

  test('{name} that is wrong is named, and its value is not shown')
    .with([
      { name: 'APP_KEY', value: 'short-secret', says: 'shorter than 32 characters' },
      { name: 'METRICS_TOKEN', value: 'short-secret', says: 'shorter than 16 characters' },
      { name: 'DATABASE_URL', value: 'mysql://user:short-secret@host/x', says: 'postgres://' },
    ])
    .run(({ assert }, { name, value, says }) => {
      const { status, stdout, stderr } = startWith({ [name]: value })
      assert.equal(status, 1)
      assert.match(stderr, /^[^\n]+\n$/)
      assert.include(stderr, name)
      assert.include(stderr, says)
      assert.notInclude(stdout + stderr, 'short-secret')
    })

  test('PostgreSQL without a URL stops the start', ({ assert }) => {
    const { status, stderr } = startWith({ DB_CONNECTION: 'postgres', DATABASE_URL: '' })
    assert.equal(status, 1)
    assert.match(stderr, /^DATABASE_URL is missing: DB_CONNECTION=postgres is set\.[^\n]+\n$/)
  })

  test('a DATABASE_URL alone selects PostgreSQL, and DB_CONNECTION=sqlite wins over it', async ({
    assert,
    cleanup,
  }) => {
    const env = {
      DATABASE_URL: 'postgres://latchkey:short-secret@127.0.0.1:1/none',
      LOG_LEVEL: 'info',
    }
    const alone = await startServer({ env: { ...env, DB_CONNECTION: '' } })
    cleanup(() => alone.stop())
    await until(() => alone.output().includes('no connection to PostgreSQL'), 'A line in the log')
    const both = await startServer({ env: { ...env, DB_CONNECTION: 'sqlite' } })
    cleanup(() => both.stop())
    await until(() => both.output().includes('so DATABASE_URL is not used'), 'A line in the log')
    assert.notInclude(alone.output() + both.output(), 'short-secret')
  })

  test('the server itself stops there, and says how to make a missing APP_KEY', ({ assert }) => {
    const { status, stdout, stderr } = startWith({ APP_KEY: '' }, 'bin/server')
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^APP_KEY is missing\. [^\n]*generate:key --show\n$/)
  })

  test('an exchange that does not say what the claim means stops the start', ({ assert }) => {
    const { status, stdout, stderr } = startWith({ LEGACY_JWT_UNTIL: '2099-01-01' })
    assert.equal(status, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^LEGACY_JWT_USER is missing[^\n]+email \| id \| external\.\n$/)
  })

  test('an exchange without issuer or audience starts and is warned about', async ({
    assert,
    cleanup,
  }) => {
    const env = { LEGACY_JWT_UNTIL: '2099-01-01', LEGACY_JWT_USER: 'email', LOG_LEVEL: 'warn' }
    const open = await startServer({ env: { ...env, LEGACY_JWT_SECRET: 'x'.repeat(32) } })
    cleanup(() => open.stop())
    assert.match(open.output(), /LEGACY_JWT_ISSUER/)
    assert.match(open.output(), /LEGACY_JWT_AUDIENCE/)
    const exact = { LEGACY_JWT_ISSUER: 'https://old.example.com', LEGACY_JWT_AUDIENCE: 'api' }
    const bounded = await startServer({ env: { ...env, ...exact } })
    cleanup(() => bounded.stop())
    assert.notInclude(bounded.output(), 'LEGACY_JWT')
  })

  test('.env.example and the README list every variable', ({ assert }) => {
    const read = (file: string) => readFileSync(ROOT + file, 'utf8')
    const names = Array.from(
      read('start/env.ts').matchAll(/^ {4}([A-Z_]+): /gm),
      ([, name]) => name
    )
    assert.isAbove(names.length, 20)

    const inExample = read('.env.example').matchAll(/^# .+\n([A-Z_]+)=/gm)
    assert.sameMembers(
      Array.from(inExample, ([, name]) => name),
      names
    )
    const inReadme = new Set(Array.from(read('README.md').matchAll(/`([A-Z_]+)`/g), ([, n]) => n))
    assert.deepEqual(
      names.filter((name) => !inReadme.has(name)),
      []
    )
  })

  test('the values of .env.example are the defaults', ({ assert }) => {
    const example = readFileSync(`${ROOT}.env.example`, 'utf8')
    const given = Array.from(example.matchAll(/^([A-Z_]+)="?([^"\n]+)"?$/gm))
    const source = readFileSync(`${ROOT}start/env.ts`, 'utf8')
    for (const [, name, value] of given) {
      const rule = source.split('\n').find((line) => line.includes(` ${name}: `)) ?? ''
      if (name === 'TRUST_PROXY') continue
      assert.match(rule, new RegExp(`\\W${value.replace(/\W/g, '\\$&')}\\W`), name)
    }
  })
})
