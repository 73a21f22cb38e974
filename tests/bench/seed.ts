import { randomUUID } from 'node:crypto'
import type { ApplicationService } from '@adonisjs/core/types'
import db from '@adonisjs/lucid/services/db'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import pg from 'pg'
import { createClient } from '#app/service_clients/service_client'
import { hashPassword } from '#app/passwords/passwords'
import { hashToken, mintToken } from '#app/tokens/token'
import env from '#start/env'
import { signJwt } from './jwt.js'
import StockUser, { createStockTables } from './stock_user.js'

/**
 * What a bench server holds, for those who drive it.
 */
export type Holdings = {
  /** Credentials of as many users, by variant. */
  tokens: { latchkey: string[]; jwt: string[]; stock: string[]; guarded: string[] }
  /** A service client that may introspect and follow. */
  client: { id: string; secret: string }
  /** Users who may sign in, all with `password`, whose hash is `hashed`. */
  emails: string[]
  password: string
  hashed: string
}

/**
 * Users whose tokens the load generator sends, and users who only sign in.
 */
const READERS = 256
const SIGNERS = 128

/**
 * Rows that one statement makes: the application's connections give up on longer ones.
 */
const ROWS_A_STATEMENT = 25_000

/**
 * Tokens for services that are guarded, and how many are made at once.
 */
const GUARDED = Number(process.env.BENCH_GUARDED_TOKENS ?? 0)
const AT_ONCE = 1_000

const DAY = 24 * 60 * 60 * 1000

/**
 * Migrates the empty database and fills it until it holds `liveTokens` access tokens, one session
 * and one user each. The readers' tokens stand in the middle of the others.
 */
export async function fillDatabase(app: ApplicationService, liveTokens: number): Promise<Holdings> {
  const runner = new MigrationRunner(db, app, { direction: 'up' })
  await runner.run()
  if (runner.error) throw runner.error
  const client = db.connection()
  await createStockTables(client)

  const password = 'correct horse battery staple'
  const hashed = await hashPassword(password)
  const others = Math.max(liveTokens - READERS, 0)
  await addOthers(client, Math.ceil(others / 2))
  const latchkey = await addReaders(client, 'reader', READERS, hashed)
  await addOthers(client, Math.floor(others / 2))
  const emails = await addUsers(client, 'signer', SIGNERS, hashed)
  const { jwt, stock } = await addRivals()
  const guarded: string[] = []
  while (guarded.length < GUARDED) {
    guarded.push(...(await addReaders(client, `guarded${guarded.length}-`, AT_ONCE, hashed)))
  }
  const service = await createClient({ name: 'bench', abilities: ['introspect', 'feed'] }, 'system')
  await settle(client)

  return {
    tokens: { latchkey, jwt, stock, guarded },
    client: { id: service.client.id, secret: service.secret },
    emails,
    password,
    hashed,
  }
}

/**
 * Sessions of users nobody asks for, made by the database itself.
 */
async function addOthers(client: QueryClientContract, count: number) {
  for (let left = count; left > 0; left -= ROWS_A_STATEMENT) {
    await addBatch(client, Math.min(left, ROWS_A_STATEMENT))
  }
}

async function addBatch(client: QueryClientContract, count: number) {
  const now = new Date()
  const until = new Date(now.getTime() + 30 * DAY)
  const onPostgres = client.dialect.name === 'postgres'
  const { users, sessions } = await lastIds(client)

  const numbers = onPostgres
    ? 'generate_series(1, ?::int) AS numbers(n)'
    : '(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ?) SELECT n FROM r) AS numbers'
  const uuid = onPostgres
    ? 'gen_random_uuid()'
    : "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
  const sha256 = onPostgres
    ? "encode(sha256(convert_to(random()::text || seq::text, 'UTF8')), 'hex')"
    : 'lower(hex(randomblob(32)))'

  await client.rawQuery(
    `INSERT INTO users (email, password, role, created_at, updated_at)
     SELECT 'other' || (n + ${users}) || '@example.com', '-', 'user', ?, ? FROM ${numbers}`,
    [now, now, count] as any
  )
  await client.rawQuery(
    `INSERT INTO sessions (id, user_id, device_name, platform, ip, user_agent, created_at, last_seen_at, expires_at)
     SELECT ${uuid}, id, 'Phone', 'ios', '192.0.2.1', 'bench', ?, ?, ? FROM users WHERE id > ${users}`,
    [now, now, until] as any
  )
  await client.rawQuery(
    `INSERT INTO api_tokens (tokenable_id, type, hash, abilities, session_id, created_at, updated_at, expires_at)
     SELECT user_id, 'access', ${sha256}, '["*"]', id, ?, ?, ? FROM sessions WHERE seq > ${sessions}`,
    [now, now, until] as any
  )
}

async function lastIds(client: QueryClientContract) {
  const { users } = await client.from('users').max('id as users').firstOrFail()
  const { sessions } = await client.from('sessions').max('seq as sessions').firstOrFail()
  return { users: Number(users ?? 0), sessions: Number(sessions ?? 0) }
}

async function addUsers(client: QueryClientContract, name: string, count: number, hashed: string) {
  const now = new Date()
  const emails = Array.from({ length: count }, (_, index) => `${name}${index}@example.com`)
  await client.table('users').multiInsert(
    emails.map((email) => ({
      email,
      password: hashed,
      role: 'user',
      created_at: now,
      updated_at: now,
    }))
  )
  return emails
}

async function addReaders(
  client: QueryClientContract,
  name: string,
  count: number,
  hashed: string
): Promise<string[]> {
  const now = new Date()
  const until = new Date(now.getTime() + 30 * DAY)
  const emails = await addUsers(client, name, count, hashed)
  const users = await client.from('users').select('id').whereIn('email', emails)
  const readers = users.map(({ id }) => ({
    user: id,
    session: randomUUID(),
    token: mintToken('access'),
  }))
  await client.table('sessions').multiInsert(
    readers.map(({ user, session }) => ({
      id: session,
      user_id: user,
      device_name: 'Phone',
      platform: 'ios',
      ip: '192.0.2.1',
      user_agent: 'bench',
      created_at: now,
      last_seen_at: now,
      expires_at: until,
    }))
  )
  await client.table('api_tokens').multiInsert(
    readers.map(({ user, session, token }) => ({
      tokenable_id: user,
      type: 'access',
      hash: hashToken(token),
      abilities: '["*"]',
      session_id: session,
      created_at: now,
      updated_at: now,
      expires_at: until,
    }))
  )
  return readers.map(({ token }) => token)
}

/**
 * Users of the other variants, by the means that those offer.
 */
async function addRivals() {
  const jwt: string[] = []
  const stock: string[] = []
  for (let index = 0; index < READERS; index++) {
    const email = `reader${index}@example.com`
    const user = await StockUser.create({ email, password: '-' })
    const token = await StockUser.accessTokens.create(user)
    stock.push(token.value!.release())
    jwt.push(await signJwt({ id: user.id, email }))
  }
  return { jwt, stock }
}

/**
 * Lets the database finish what the filling left for later, so that no measurement pays for it.
 */
async function settle(client: QueryClientContract) {
  if (client.dialect.name === 'sqlite3') {
    await client.rawQuery('PRAGMA wal_checkpoint(TRUNCATE)')
    return
  }

  /** A connection that waits for as long as it takes, unlike the application's. */
  const patient = new pg.Client({ connectionString: env.get('DATABASE_URL') })
  await patient.connect()
  await patient.query('VACUUM ANALYZE')
  await patient.query('CHECKPOINT')
  await patient.end()
}
