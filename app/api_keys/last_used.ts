import db from '@adonisjs/lucid/services/db'
import { LastUsedBuffer, moveForward } from '#app/sessions/last_used_buffer'

/**
 * When each API key was last used (`api_tokens.last_used_at`), written behind the requests.
 */
export const keyLastUsed = new LastUsedBuffer((uses) => {
  const where = { sql: "api_tokens.type = 'api_key'", bindings: [] }
  const target = { table: 'api_tokens', id: 'bigint', column: 'last_used_at', where } as const
  return moveForward(db.connection(), target, uses, { skipLocked: true })
})
