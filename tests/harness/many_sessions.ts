import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'

const DAY = 24 * 60 * 60 * 1000

/**
 * Writes very many users with so many live sessions each, or API keys, straight into the database:
 * tests of scale need the rows, not their tokens.
 */
export async function insertMany(options: {
  users: number
  sessionsEach?: number
  keysEach?: number
}): Promise<void> {
  const { users, sessionsEach = 0, keysEach = 0 } = options
  const postgres = db.connection().dialect.name === 'postgres'
  const now = clock.now()
  const later = new Date(now.getTime() + 30 * DAY)
  const numbers = (to: number) =>
    postgres
      ? `generate_series(1, ${to}) AS numbers(n)`
      : `(WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${to})
          SELECT n FROM counted) AS numbers`
  const uuid = postgres
    ? 'gen_random_uuid()'
    : `lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' ||
       substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) || '-' ||
       hex(randomblob(6)))`
  const hash = postgres
    ? `replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')`
    : 'lower(hex(randomblob(32)))'

  const client = await db.transaction()
  if (postgres) await client.rawQuery('SET LOCAL statement_timeout = 0')
  await client.rawQuery(
    `INSERT INTO users (email, password, role, created_at, updated_at)
     SELECT 'many' || n || '@example.com', 'none', 'user', ?, ? FROM ${numbers(users)}`,
    [now, now] as any
  )
  if (sessionsEach > 0) {
    await client.rawQuery(
      `INSERT INTO sessions
         (id, user_id, device_name, platform, created_at, last_seen_at, expires_at)
       SELECT ${uuid}, users.id, 'Phone ' || n, 'ios', ?, ?, ?
       FROM users CROSS JOIN ${numbers(sessionsEach)} WHERE users.email LIKE 'many%'`,
      [now, now, later] as any
    )
    for (const type of ['access', 'refresh']) {
      await client.rawQuery(
        `INSERT INTO api_tokens
           (tokenable_id, type, hash, abilities, session_id, created_at, updated_at, expires_at)
         SELECT user_id, '${type}', ${hash}, '["*"]', id, created_at, created_at, expires_at
         FROM sessions WHERE device_name LIKE 'Phone %'`
      )
    }
  }
  if (keysEach > 0) {
    await client.rawQuery(
      `INSERT INTO api_tokens
         (tokenable_id, type, name, hash, abilities, created_at, updated_at)
       SELECT users.id, 'api_key', 'key ' || n, ${hash}, '["*"]', ?, ?
       FROM users CROSS JOIN ${numbers(keysEach)} WHERE users.email LIKE 'many%'`,
      [now, now] as any
    )
  }
  await client.commit()
}
