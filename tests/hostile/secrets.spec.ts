import { readFileSync } from 'node:fs'
import router from '@adonisjs/core/services/router'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { SignJWT } from 'jose'
import { createClient } from '#app/service_clients/service_client'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase, snapshot } from '#tests/harness/database'
import { startMailServer, textOf } from '#tests/harness/mail_server'
import { tokenIn } from '#tests/harness/mailbox'
import { issueOldToken, makeTokensTable } from '#tests/harness/old_tokens'
import { startServer, type TestServer } from '#tests/harness/server'

const LEGACY_SECRET = 'the secret of the system that came before'
const NEW_PASSWORD = 'a quite different password'
const WRONG_PASSWORD = 'wr0ng-but-somebodys-password-elsewhere'

type Options = {
  bearer?: string
  basic?: string
  json?: unknown
  form?: Record<string, string>
  query?: string
}

/**
 * A client that goes everywhere, and remembers every secret that it sends or is given.
 */
class Tourist {
  readonly secrets = new Set<string>()
  readonly visited = new Set<string>()

  constructor(readonly server: TestServer) {}

  knows(...secrets: string[]) {
    for (const secret of secrets) this.secrets.add(secret)
  }

  async go(method: string, pattern: string, options: Options = {}) {
    const path = pattern.replace(/:\w+/g, '1') + (options.query ? `?${options.query}` : '')
    return this.goTo(method, pattern, path, options)
  }

  async goTo(method: string, pattern: string, path: string, options: Options = {}) {
    this.visited.add(`${method} ${pattern}`)
    const { bearer, basic, json, form } = options
    const answer = await fetch(this.server.url + path, {
      method,
      headers: {
        ...(bearer && { authorization: `Bearer ${bearer}` }),
        ...(basic && { authorization: `Basic ${basic}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      body: form ? new URLSearchParams(form) : json === undefined ? null : JSON.stringify(json),
      signal: AbortSignal.timeout(2_000),
    })
    const text = await answer.text().catch(() => '')
    const { data } = /^\s*\{/.test(text) ? JSON.parse(text) : { data: null }
    for (const name of ['token', 'refreshToken', 'key']) {
      if (typeof data?.[name] === 'string') this.knows(data[name])
    }
    return { status: answer.status, data }
  }

  /**
   * Every secret in every spelling in which it could be written down.
   */
  spellings(): string[] {
    return [...this.secrets].flatMap((secret) => [
      secret,
      ...(/^o\w\w_/.test(secret) ? [secret.slice(4)] : []),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(secret).toString('hex'),
    ])
  }
}

test.group('Secrets', (group) => {
  group.each.setup(() => emptyDatabase())

  test('after a tour of every route none stands in the database, the log or the metrics', async ({
    assert,
    cleanup,
  }) => {
    const mailServer = await startMailServer()
    cleanup(() => mailServer.stop())
    const server = await startServer({
      env: {
        LOG_LEVEL: 'trace',
        NOTIFY_NEW_DEVICE: 'on',
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: String(mailServer.port),
        LEGACY_JWT_SECRET: LEGACY_SECRET,
        LEGACY_JWT_USER: 'id',
        LEGACY_JWT_UNTIL: '2099-01-01',
        LEGACY_TOKENS_KIND: 'adonis',
        LEGACY_TOKENS_USER: 'id',
        LEGACY_TOKENS_MAX_AGE: '90d',
        LEGACY_TOKENS_UNTIL: '2099-01-01',
        RATE_LIMIT_SIGN_IN: '1000/1m',
        RATE_LIMIT_REFRESH: '1000/1m',
        SESSION_LIMIT: '0',
      },
    })
    cleanup(() => server.stop())
    const tourist = new Tourist(server)
    const metricsToken = process.env.METRICS_TOKEN!
    tourist.knows(PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, LEGACY_SECRET, metricsToken)
    tourist.knows(process.env.APP_KEY!)

    const email = 'ada@example.com'
    const auth = (path: string) => `/api/v1/auth/${path}`
    const login = (password: string) =>
      tourist.go('POST', auth('login'), { json: { email, password, device: { name: 'Phone' } } })

    const signedUp = await tourist.go('POST', auth('signup'), {
      json: { email, password: PASSWORD },
    })
    assert.equal(signedUp.status, 201)
    await login(WRONG_PASSWORD)
    const first = await login(PASSWORD)
    assert.equal(first.status, 200)
    const { refreshToken } = first.data
    const renewed = await tourist.go('POST', auth('refresh'), { json: { refreshToken } })
    assert.equal(renewed.status, 200)
    await tourist.go('POST', auth('refresh'), { json: { refreshToken } })
    await tourist.go('GET', '/api/v1/account', { bearer: first.data.token })
    const changed = await tourist.go('PUT', '/api/v1/account/password', {
      bearer: renewed.data.token,
      json: { currentPassword: PASSWORD, password: NEW_PASSWORD },
    })
    assert.equal(changed.status, 200)
    const bearer: string = changed.data.token

    await tourist.go('POST', auth('password/forgot'), { json: { email } })
    const mails = await mailServer.received(3)
    const texts = mails.map(({ source }) => textOf(source))
    const resetToken = tokenIn(texts.find((text) => text.includes('#token='))!)
    tourist.knows(resetToken)
    await tourist.go('POST', auth('password/reset'), {
      json: { token: resetToken, password: 'short' },
    })
    await tourist.go('POST', auth('email/verify'), { json: { email } })
    const more = await mailServer.received(4)
    const emailToken = tokenIn(textOf(more.at(-1)!.source))
    assert.match(emailToken, /^oev_/)
    tourist.knows(emailToken)
    await tourist.go('POST', auth('email/confirm'), { json: { token: `${emailToken}x` } })

    const key = await tourist.go('POST', '/api/v1/api-keys', {
      bearer,
      json: { name: 'Script' },
    })
    assert.equal(key.status, 201)
    const { client, secret } = await createClient(
      { name: 'tour', abilities: ['introspect', 'revoke', 'feed'] },
      'system'
    )
    const basic = Buffer.from(`${client.id}:${secret}`).toString('base64')
    tourist.knows(secret, basic)
    for (const token of [bearer, key.data.key, refreshToken]) {
      await tourist.go('POST', '/oauth/introspect', { basic, form: { token } })
      await tourist.go('POST', '/oauth/introspect', {
        form: { token, client_id: client.id, client_secret: secret },
      })
    }
    await tourist.go('GET', '/api/v1/revocations', { basic, query: 'limit=10' })
    await tourist.go('GET', '/metrics', { bearer: metricsToken })

    const old = await makeUser({ email: 'old@example.com' })
    const jwt = await new SignJWT({ sub: String(old.id) })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(LEGACY_SECRET))
    tourist.knows(jwt, jwt.split('.')[2])
    const exchanged = await tourist.go('POST', auth('exchange'), { json: { jwt } })
    assert.equal(exchanged.status, 200)

    await makeTokensTable(db.connection(), 'adonis', 'auth_access_tokens')
    cleanup(() => db.connection().schema.dropTable('auth_access_tokens'))
    const token = await issueOldToken(db.connection(), 'adonis', 'auth_access_tokens', old.id)
    const [, encoded] = token.split('.')
    tourist.knows(token, encoded, Buffer.from(encoded, 'base64url').toString())
    const traded = await tourist.go('POST', auth('exchange'), { json: { token } })
    assert.equal(traded.status, 200)

    const admin = await makeUser({ email: 'admin@example.com', role: 'admin' })
    const chief = await tourist.go('POST', auth('login'), {
      json: { email: admin.email, password: PASSWORD },
    })

    /** The rest of the routes, with the secrets where careless clients put them, too. */
    const misplaced = new URLSearchParams({ access_token: bearer, token: resetToken, PASSWORD })
    for (const { methods, pattern } of Object.values(router.toJSON()).flat()) {
      for (const method of methods) {
        if (method === 'HEAD' || tourist.visited.has(`${method} ${pattern}`)) continue
        const careless = { bearer: chief.data.token, query: misplaced.toString() }
        const ends = /logout|force-logout|users\/:id/.test(pattern) && method !== 'GET'
        const body = method === 'GET' || method === 'OPTIONS' ? {} : { json: { token: bearer } }
        const speaker = ends ? { bearer } : {}
        await tourist.go(method, pattern, { ...careless, ...body, ...speaker }).catch(() => null)
      }
    }
    await tourist.go('POST', '/oauth/revoke', { basic, form: { token: bearer } })
    await tourist.go('GET', '/api/v1/account', { bearer })
    const unknown = `oat_${'Q'.repeat(43)}`
    tourist.knows(unknown)
    await tourist.go('GET', '/api/v1/account', { bearer: unknown })

    const served = Object.values(router.toJSON()).flat()
    const all = served.flatMap(({ methods, pattern }) =>
      methods.map((name) => `${name} ${pattern}`)
    )
    const missed = all.filter((route) => !route.startsWith('HEAD') && !tourist.visited.has(route))
    assert.deepEqual(missed, [])
    assert.isAtLeast(tourist.secrets.size, 20)

    const metrics = await fetch(`${server.url}/metrics`, {
      headers: { authorization: `Bearer ${metricsToken}` },
    })
    const places = {
      database: await snapshot(),
      files: filesOfTheDatabase(),
      log: server.output(),
      metrics: await metrics.text(),
    }
    assert.include(places.log, 'request answered')
    assert.include(places.metrics, 'latchkey_sign_ins_total')
    for (const [place, contents] of Object.entries(places)) {
      const found = tourist.spellings().filter((spelling) => contents.includes(spelling))
      assert.deepEqual(found, [], `secrets in the ${place}`)
    }
  }).timeout(60_000)
})

/**
 * What SQLite has on disk, deleted rows and the write-ahead log included; nothing on PostgreSQL.
 */
function filesOfTheDatabase(): string {
  if (process.env.DB_CONNECTION !== 'sqlite') return ''
  const file = process.env.SQLITE_FILE!
  return [file, `${file}-wal`].map((path) => readFileSync(path, 'latin1')).join('')
}
