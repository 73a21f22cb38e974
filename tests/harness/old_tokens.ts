import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { AccessToken } from '@adonisjs/auth/access_tokens'
import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import clock from '#app/clock'
import { legacyConnection } from '#app/database/legacy'
import legacyTokensConfig from '#config/legacy_tokens'

export type Kind = 'adonis' | 'sanctum'

/**
 * Points the exchange at another database, as `LEGACY_TOKENS_URL` does at a start, and gives a client
 * for it. `close` lets go of it.
 */
export async function openOldDatabase(url: string) {
  await db.manager.release('legacy_tokens')
  db.manager.add('legacy_tokens', legacyConnection(url))
  legacyTokensConfig.connection = 'legacy_tokens'
  return {
    client: db.connection('legacy_tokens'),
    close: () => db.manager.release('legacy_tokens'),
  }
}

/**
 * Makes the stock table of a framework, as its published migration does.
 */
export async function makeTokensTable(
  client: QueryClientContract,
  kind: Kind,
  name: string
): Promise<void> {
  await client.schema.dropTableIfExists(name)
  await client.schema.createTable(name, (table) => {
    if (kind === 'adonis') {
      table.increments('id')
      table.integer('tokenable_id').notNullable().unsigned()
      table.string('type').notNullable()
      table.string('name').nullable()
      table.string('hash').notNullable()
      table.text('abilities').nullable()
      table.timestamp('created_at').nullable()
      table.timestamp('updated_at').nullable()
      table.timestamp('last_used_at').nullable()
      table.timestamp('expires_at').nullable()
      return
    }
    table.bigIncrements('id')
    table.string('tokenable_type').notNullable()
    table.bigInteger('tokenable_id').unsigned().notNullable()
    table.string('name').notNullable()
    table.string('token', 64).notNullable().unique()
    table.text('abilities').nullable()
    const naive = { useTz: false, precision: 0 }
    table.timestamp('last_used_at', naive).nullable()
    table.timestamp('expires_at', naive).nullable()
    table.timestamp('created_at', naive).nullable()
    table.timestamp('updated_at', naive).nullable()
  })
}

/**
 * Issues a token as the framework does, a minute ago. `row` overrides columns.
 */
export async function issueOldToken(
  client: QueryClientContract,
  kind: Kind,
  table: string,
  userId: number | string,
  row: Record<string, unknown> = {}
): Promise<string> {
  const at = new Date(clock.millis() - 60_000)
  const dates = { created_at: at, updated_at: at, last_used_at: null, expires_at: null }
  const insert = async (columns: Record<string, unknown>) => {
    const id = await client
      .table(table)
      .insert({ tokenable_id: userId, abilities: '["*"]', ...dates, ...columns, ...row })
      .returning('id')
    return typeof id[0] === 'object' ? id[0].id : id[0]
  }
  if (kind === 'sanctum') {
    const secret = sanctumSecret(randomBytes(20).toString('hex'))
    const token = createHash('sha256').update(secret).digest('hex')
    const id = await insert({ tokenable_type: 'App\\Models\\User', name: 'phone', token })
    return `${id}|${secret}`
  }
  const { secret, hash } = AccessToken.createTransientToken(userId, 40)
  const identifier = await insert({ type: 'auth_token', name: null, hash })
  const made = new AccessToken({
    ...{ identifier, hash, secret, tokenableId: userId, type: 'auth_token', name: null },
    ...{ prefix: 'oat_', abilities: ['*'] },
    ...{ createdAt: at, updatedAt: at, lastUsedAt: null, expiresAt: null },
  })
  return made.value!.release()
}

/**
 * What Sanctum makes of 40 random characters (`HasApiTokens::generateTokenString`).
 */
export function sanctumSecret(entropy: string, prefix = ''): string {
  return prefix + entropy + crc32(entropy).toString(16).padStart(8, '0')
}
