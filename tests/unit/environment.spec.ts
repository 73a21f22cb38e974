import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { programOf } from '#tests/harness/compiled'
import { legacyDatabase, tableName } from '#start/env_rules'
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
      { name: 'LEGACY_TOKENS_TABLE', value: 'tokens; DROP TABLE users', allowed: 'a name such as' },
      { name: 'LEGACY_TOKENS_MAX_AGE', value: '0', allowed: '30s, 15m, 1h or 30d' },
      { name: 'LEGACY_LOGIN_URL', value: 'ftp://old.example.com', allowed: 'https://' },
      { name: 'LEGACY_LOGIN_UNTIL', value: 'soon', allowed: '2027-01-31' },
      { name: 'WEBHOOK_ALLOW_PRIVATE', value: 'yes', allowed: 'on | off' },
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
      { name: 'LEGACY_LOGIN_SECRET', value: 'short-secret', says: 'whsec_ and 24 to 64' },
      { name: 'DATABASE_URL', value: 'mysql://user:short-secret@host/x', says: 'postgres://' },
      { name: 'LEGACY_TOKENS_URL', value: 'mssql://user:short-secret@host/x', says: 'mysql://' },
    ])
    .run(({ assert }, { name, value, says }) => {
      const { status, stdout, stderr } = startWith({ [name]: value })
      assert.equal(status, 1)
      assert.match(stderr, /^[^\n]+\n$/)
      assert.include(stderr, name)
      assert.include(stderr, says)
      assert.notInclude(stdout + stderr, 'short-secret')
    })

  test('the database of an old system: {$self} is wrong, and not shown')
    .with([
      'short-secret',
      'sqlite:',
      'mysql://',
      'mysql:host/short-secret',
      'http://short-secret',
      'mysql://user:short-secret@host/x?timezone=Mars/Crater',
    ])
    .run(({ assert }, value) => {
      const read = () => legacyDatabase()('LEGACY_TOKENS_URL', value)
      assert.throws(read, /^LEGACY_TOKENS_URL="…" is not allowed\. Allowed: sqlite:PATH, postgres:/)
    })

  test('the database of an old system: {0} is {1} with dates of {2}')
    .with([
      ['sqlite:old app.db', 'sqlite:old app.db', 'utc'],
      ['sqlite:/var/old.db?timezone=+02:00', 'sqlite:/var/old.db', '+02:00'],
      [
        'postgres://a:b@h/x?timezone=utc&sslmode=require',
        'postgres://a:b@h/x?sslmode=require',
        'utc',
      ],
      [
        'mysql://a:b@h/x?ssl={}&timezone=Europe%2FBerlin',
        'mysql://a:b@h/x?ssl={}',
        'Europe/Berlin',
      ],
    ])
    .run(({ assert }, [value, url, timeZone]) => {
      assert.deepEqual(legacyDatabase()('LEGACY_TOKENS_URL', value), { url, timeZone })
    })

  test('{$self} is no name of a table')
    .with(['a.b.c', 'a b', '1a', 'a"', '`a`', "a'", '.a', 'a.', 'ä', 'a'.repeat(64)])
    .run(({ assert }, value) => {
      assert.throws(() => tableName()('LEGACY_TOKENS_TABLE', value), /auth\.tokens/)
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

  test('{missing} is missing where tokens are exchanged: the start stops')
    .with([
      { missing: 'LEGACY_TOKENS_KIND', allowed: 'adonis | sanctum' },
      { missing: 'LEGACY_TOKENS_USER', allowed: 'id | external' },
      { missing: 'LEGACY_TOKENS_MAX_AGE', allowed: 'a duration such as 90d' },
    ])
    .run(({ assert }, { missing, allowed }) => {
      const { status, stdout, stderr } = startWith({
        LEGACY_TOKENS_KIND: 'adonis',
        LEGACY_TOKENS_USER: 'id',
        LEGACY_TOKENS_MAX_AGE: '90d',
        LEGACY_TOKENS_UNTIL: '2099-01-01',
        [missing]: '',
      })
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.match(stderr, new RegExp(`^${missing} is missing[^\\n]+\\n$`))
      assert.include(stderr, allowed)
    })

  test('an old login {says} stops the start')
    .with([
      {
        says: 'without secret and day',
        env: { LEGACY_LOGIN_SECRET: '', LEGACY_LOGIN_UNTIL: '' },
        line: /^LEGACY_LOGIN_SECRET and LEGACY_LOGIN_UNTIL missing/,
      },
      {
        says: 'without a day',
        env: { LEGACY_LOGIN_UNTIL: '' },
        line: /^LEGACY_LOGIN_UNTIL missing/,
      },
      { says: 'without a URL', env: { LEGACY_LOGIN_URL: '' }, line: /^LEGACY_LOGIN_URL missing/ },
      {
        says: 'over plain HTTP',
        env: { LEGACY_LOGIN_URL: 'http://old.example.com/login' },
        line: /^LEGACY_LOGIN_URL="http:[^ ]+ is not allowed\. Allowed: a URL that starts with https:/,
      },
    ])
    .run(({ assert }, { env, line }) => {
      const { status, stdout, stderr } = startWith({
        LEGACY_LOGIN_URL: 'https://old.example.com/login',
        LEGACY_LOGIN_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
        LEGACY_LOGIN_UNTIL: '2099-01-01',
        ...env,
      })
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /^[^\n]+\n$/)
      assert.match(stderr, line)
      assert.notInclude(stderr, 'MfKQ9r8')
    })

  test('an exchange that has no key to verify old tokens by stops the start', ({ assert }) => {
    const env = { LEGACY_JWT_UNTIL: '2099-01-01', LEGACY_JWT_USER: 'email' }
    const { status, stderr } = startWith(env)
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^LEGACY_JWT_UNTIL is set[^\n]+LEGACY_JWT_SECRET, or LEGACY_JWT_JWKS[^\n]+\n$/
    )
  })

  test('an exchange without issuer or audience starts and is warned about', async ({
    assert,
    cleanup,
  }) => {
    const env = {
      LEGACY_JWT_UNTIL: '2099-01-01',
      LEGACY_JWT_USER: 'email',
      LEGACY_JWT_SECRET: 'x'.repeat(32),
      LOG_LEVEL: 'warn',
    }
    const open = await startServer({ env })
    cleanup(() => open.stop())
    assert.match(open.output(), /LEGACY_JWT_ISSUER/)
    assert.match(open.output(), /LEGACY_JWT_AUDIENCE/)
    const exact = { LEGACY_JWT_ISSUER: 'https://old.example.com', LEGACY_JWT_AUDIENCE: 'api' }
    const bounded = await startServer({ env: { ...env, ...exact } })
    cleanup(() => bounded.stop())
    assert.notInclude(bounded.output(), 'LEGACY_JWT')
  })

  test('a run of the tests takes none of it from the terminal or .env', ({ assert }) => {
    const script = `
      const { prepareEnvironment } = await import('./tests/harness/environment.ts')
      const cleanUp = await prepareEnvironment()
      await import('./start/env.ts').then(({ default: env }) => console.log(JSON.stringify({
        limit: env.get('SESSION_LIMIT'), signup: env.get('SIGNUP'),
        connection: env.get('DB_CONNECTION'), url: env.get('DATABASE_URL', ''),
      })))
      await cleanUp()`
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import=@poppinss/ts-exec', '--input-type=module', '--eval', script],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: {
          ...process.env,
          DB_CONNECTION: 'sqlite',
          DATABASE_URL: 'postgres://somebody:secret@db.example.com/precious',
          SESSION_LIMIT: '7',
          SIGNUP: 'closed',
          TEST_DATABASE_URL: '',
        },
        timeout: 30_000,
      }
    )
    assert.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), {
      limit: 1,
      signup: 'open',
      connection: 'sqlite',
      url: '',
    })
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
