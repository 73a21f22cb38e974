import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import bcrypt from 'bcrypt'
import clock from '#app/clock'
import { deletions } from '#app/accounts/spent_legacy_tokens'
import legacyJwtConfig from '#config/legacy_jwt'
import legacyTokensConfig from '#config/legacy_tokens'
import * as before from '#tests/apps/express/before'
import * as between from '#tests/apps/express/between'
import { trade } from '#tests/apps/client'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { jsonOfCommand } from '#tests/harness/command'
import { openOldDatabase } from '#tests/harness/old_tokens'
import { makeClient } from '#tests/harness/service_clients'
import { startStockAdonis } from '#tests/harness/stock_adonis'

/*
 * Two applications with users, a login and signed-in people of their own, brought over as
 * docs/moving_over.md says.
 */

const LATCHKEY = `http://${process.env.HOST}:${process.env.PORT}`
const SECRET = 'the old system shared this secret'
const DAY = 86_400_000
const PEOPLE = [
  { email: 'ada@example.com', password: 'a difference engine' },
  { email: 'bob@example.com', password: 'the builder of things' },
]

const ROOT = new URL('../../', import.meta.url)
const read = (file: string) => readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8')
const page = read('docs/moving_over.md')

/**
 * Lines of code, without empty ones and comments.
 */
const codeOf = (source: string) =>
  source
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(\/\/|\/?\*)/.test(line))

/**
 * Lines of `later` that `earlier` does not have.
 */
function writtenBetween(earlier: string, later: string): number {
  const had = codeOf(earlier)
  return codeOf(later).filter((line) => {
    const at = had.indexOf(line)
    if (at >= 0) had.splice(at, 1)
    return at < 0
  }).length
}

async function json(url: string, path: string, options: { token?: string; body?: object } = {}) {
  const response = await fetch(url + path, {
    method: options.body ? 'POST' : 'GET',
    headers: {
      'accept': 'application/json',
      'content-type': 'application/json',
      ...(options.token && { authorization: `Bearer ${options.token}` }),
    },
    body: options.body && JSON.stringify(options.body),
  })
  return { status: response.status, body: (await response.json().catch(() => null)) as any }
}

const logInto = (url: string, person: (typeof PEOPLE)[number], path = '/login') =>
  json(url, path, { body: person })

const device = (id: string) => ({ id, name: id })

/**
 * The users of the old database as lines for `user:import`: the statement is that of the page.
 */
async function importUsers(file: string, columns: Record<string, string> = {}) {
  const [, statement] = /```sql\n(.+?);\n```/s.exec(page)!
  let sql = statement
  for (const [from, to] of Object.entries(columns)) sql = sql.replace(from, to)
  const db = new DatabaseSync(file)
  const lines = db
    .prepare(sql)
    .all()
    .map((row) => Object.values(row)[0])
  db.close()
  const ndjson = `${file}.ndjson`
  writeFileSync(ndjson, lines.join('\n'))
  return jsonOfCommand(['user:import', ndjson])
}

/**
 * A folder that is gone after the group.
 */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-moving-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

test.group('Moving an Express application over', (group) => {
  const { folder, remove } = makeFolder()
  const file = join(folder, 'express.sqlite3')
  const closers: (() => unknown)[] = [remove]
  let jwts: { phone: string; tablet: string; bob: string }
  let api: string
  let phone: { token: string }

  group.tap((one) => one.timeout(60_000))
  group.setup(async () => {
    await emptyDatabase()
    const config = { ...legacyJwtConfig }
    return async () => {
      Object.assign(legacyJwtConfig, config)
      for (const close of closers.reverse()) await close()
      clock.restore()
    }
  })

  const serve = async (app: ReturnType<typeof before.makeApp>) => {
    const server = createServer(app)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    closers.push(
      () => server.closeAllConnections(),
      () => server.close()
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const orders = (token: string) => json(api, '/orders', { token })

  test('0. before: people are signed in with JWTs', async ({ assert }) => {
    const db = new DatabaseSync(file)
    db.exec(`CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, password_hash TEXT);
             CREATE TABLE orders (user_id INTEGER, item TEXT)`)
    for (const [at, { email, password }] of PEOPLE.entries()) {
      const hash = await bcrypt.hash(password, 10)
      db.prepare('INSERT INTO users VALUES (?, ?, ?)').run(100 + at, email, hash)
      db.prepare('INSERT INTO orders VALUES (?, ?)').run(100 + at, `of ${email}`)
    }
    db.close()
    api = await serve(before.makeApp({ file, secret: SECRET }))
    const signIn = async (at: number) => (await logInto(api, PEOPLE[at])).body.token
    jwts = { phone: await signIn(0), tablet: `${await signIn(0)}`, bob: await signIn(1) }
    const answer = await orders(jwts.phone)
    assert.deepEqual(answer.body, { orders: [{ item: 'of ada@example.com' }] })
  })

  test('1. the users come along, with their passwords', async ({ assert }) => {
    const report = await importUsers(file, { ', password)': ', password_hash)' })
    assert.equal(report.created, 2)
  })

  test('2. to 3. the old token is described, and the API accepts both: nobody is signed out', async ({
    assert,
  }) => {
    Object.assign(legacyJwtConfig, {
      secret: SECRET,
      algorithms: ['HS256'],
      user: 'external',
      userClaim: 'sub',
      until: new Date(clock.millis() + 90 * DAY),
    })
    const { id, secret } = await makeClient(['introspect'])
    const latchkey = { url: LATCHKEY, id, secret }
    api = await serve(between.makeApp({ file, secret: SECRET, latchkey }))
    for (const jwt of Object.values(jwts)) assert.equal((await orders(jwt)).status, 200)
  })

  test('4. the phone trades its JWT, once, and sees what it saw', async ({ assert }) => {
    const traded = await trade(LATCHKEY, { jwt: jwts.phone }, device('phone'))
    phone = traded!
    assert.deepEqual((await orders(phone.token)).body, { orders: [{ item: 'of ada@example.com' }] })
    assert.isNull(await trade(LATCHKEY, { jwt: jwts.phone }, device('thief')))
    assert.equal((await orders(jwts.bob)).status, 200)
  })

  test('one device at a time: the tablet signs in by password, and the phone is told', async ({
    assert,
  }) => {
    const login = { ...PEOPLE[0], device: device('tablet') }
    const tablet = await call(LATCHKEY, 'POST', '/api/v1/auth/login', { body: login })
    assert.equal(tablet.status, 200)
    assert.equal((await orders(tablet.body.data.token)).status, 200)
    assert.equal((await orders(phone.token)).status, 401)
    const told = await call(LATCHKEY, 'GET', '/api/v1/account', { token: phone.token })
    assert.equal(told.body.errors[0].reason, 'superseded')
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })

  test('6. on the day the door closes', async ({ assert }) => {
    legacyJwtConfig.until = clock.now()
    assert.isNull(await trade(LATCHKEY, { jwt: jwts.bob }, device('phone')))
    const login = await call(LATCHKEY, 'POST', '/api/v1/auth/login', { body: PEOPLE[1] })
    assert.equal(login.status, 200)
  })

  test('lines that the team wrote: fewer than 30, as many as the page says', ({ assert }) => {
    const app = 'tests/apps/express'
    const lines = writtenBetween(read(`${app}/before.ts`), read(`${app}/between.ts`))
    const written = lines + codeOf(read('tests/apps/client.ts')).length
    assert.isBelow(written, 30)
    assert.include(page, `Express application: ${written} lines`)
  })
})

test.group('Moving a stock AdonisJS application over', (group) => {
  const { folder, remove } = makeFolder()
  const file = join(folder, 'adonis.sqlite3')
  let app: Awaited<ReturnType<typeof startStockAdonis>>
  let old: Awaited<ReturnType<typeof openOldDatabase>>
  let tokens: { phone: string; tablet: string; bob: string }
  let phone: { token: string }

  group.tap((one) => one.timeout(120_000))
  group.setup(async () => {
    await emptyDatabase()
    const config = { ...legacyTokensConfig }
    return async () => {
      await app?.stop()
      await deletions.settled()
      await old?.close()
      Object.assign(legacyTokensConfig, { connection: undefined, until: undefined }, config)
      remove()
    }
  })

  const orders = (token: string) => json(app.url, '/orders', { token })
  const standing = async () => (await old.client.from('auth_access_tokens').select('id')).length

  test('0. before: people are signed in with tokens of the stock guard', async ({ assert }) => {
    app = await startStockAdonis({ DB_FILE: file })
    for (const person of PEOPLE) await logInto(app.url, person, '/signup')
    const signIn = async (at: number) => (await logInto(app.url, PEOPLE[at])).body.token
    tokens = { phone: await signIn(0), tablet: await signIn(0), bob: await signIn(1) }
    const answer = await orders(tokens.phone)
    assert.deepEqual(answer.body, { orders: [{ item: 'of ada@example.com' }] })
  })

  test('1. the users come along, with their passwords', async ({ assert }) => {
    const report = await importUsers(file)
    assert.equal(report.created, 2)
  })

  test('2. to 3. the old tokens are described, and the API accepts both: nobody is signed out', async ({
    assert,
  }) => {
    old = await openOldDatabase(`sqlite:${file}`)
    Object.assign(legacyTokensConfig, {
      kind: 'adonis',
      connection: 'legacy_tokens',
      table: 'auth_access_tokens',
      model: 'auth_token',
      user: 'external',
      maxAge: 90 * DAY,
      until: new Date(clock.millis() + 90 * DAY),
    })
    const { id, secret } = await makeClient(['introspect'])
    await app.stop()
    app = await startStockAdonis({
      ...{ DB_FILE: file, DEPLOYED: 'between' },
      ...{ LATCHKEY_URL: LATCHKEY, LATCHKEY_ID: id, LATCHKEY_SECRET: secret },
    })
    for (const token of Object.values(tokens)) assert.equal((await orders(token)).status, 200)
  })

  test('4. the phone trades its token, once, and the old one is gone in both', async ({
    assert,
  }) => {
    phone = (await trade(LATCHKEY, { token: tokens.phone }, device('phone')))!
    assert.deepEqual((await orders(phone.token)).body, { orders: [{ item: 'of ada@example.com' }] })
    assert.isNull(await trade(LATCHKEY, { token: tokens.phone }, device('thief')))
    await deletions.settled()
    assert.equal(await standing(), 2)
    assert.equal((await orders(tokens.phone)).status, 401)
    assert.equal((await orders(tokens.bob)).status, 200)
  })

  test('one device at a time: the tablet trades its own, and the phone is told', async ({
    assert,
  }) => {
    const tablet = await trade(LATCHKEY, { token: tokens.tablet }, device('tablet'))
    assert.equal((await orders(tablet!.token)).status, 200)
    assert.equal((await orders(phone.token)).status, 401)
    const told = await call(LATCHKEY, 'GET', '/api/v1/account', { token: phone.token })
    assert.equal(told.body.errors[0].reason, 'superseded')
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })

  test('the password works', async ({ assert }) => {
    const login = await call(LATCHKEY, 'POST', '/api/v1/auth/login', { body: PEOPLE[1] })
    assert.equal(login.status, 200)
    assert.equal((await orders(login.body.data.token)).status, 200)
  })

  test('6. on the day the door closes', async ({ assert }) => {
    legacyTokensConfig.until = clock.now()
    assert.isNull(await trade(LATCHKEY, { token: tokens.bob }, device('phone')))
  })

  test('lines that the team wrote: as many as the page says', ({ assert }) => {
    const sources = 'tests/apps/stock_adonis'
    const lines = writtenBetween(
      read(`${sources}/routes_before.ts`),
      read(`${sources}/routes_between.ts`)
    )
    const written = lines + codeOf(read('tests/apps/client.ts')).length
    assert.include(page, `AdonisJS application: ${written} lines`)
  })
})
