import db from '@adonisjs/lucid/services/db'
import { rows } from '#app/database/sql'
import { LastUsedBuffer } from '#app/sessions/last_used_buffer'

/**
 * When each API key was last used (`api_tokens.last_used_at`), written behind the requests. On
 * PostgreSQL rows that another transaction is changing are left out (SKIP LOCKED), so that the write
 * never waits and takes no part in a deadlock.
 */
export const keyLastUsed = new LastUsedBuffer(async (uses) => {
  const client = db.connection()
  const isOlder = '(last_used_at IS NULL OR last_used_at < used.at)'
  if (client.dialect.name === 'postgres') {
    await rows(
      client,
      `WITH used AS (
         SELECT * FROM unnest(?::bigint[], ?::timestamptz[]) AS used(id, at)
       ), free AS (
         SELECT api_tokens.id FROM api_tokens JOIN used ON used.id = api_tokens.id
         WHERE type = 'api_key' ORDER BY api_tokens.id FOR NO KEY UPDATE OF api_tokens SKIP LOCKED
       )
       UPDATE api_tokens SET last_used_at = used.at FROM used JOIN free ON free.id = used.id
       WHERE api_tokens.id = used.id AND ${isOlder}`,
      [uses.map(({ id }) => id), uses.map(({ at }) => at)]
    )
  } else {
    await rows(
      client,
      `UPDATE api_tokens SET last_used_at = used.at
       FROM (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(?)) AS used
       WHERE api_tokens.id = used.id AND type = 'api_key' AND ${isOlder}`,
      [JSON.stringify(uses.map(({ id, at }) => [id, at.getTime()]))]
    )
  }
})
