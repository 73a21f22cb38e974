import db from '@adonisjs/lucid/services/db'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { asInteger, asText, LEGACY_TIMEOUT_MS } from '#app/database/legacy'
import legacyTokensConfig from '#config/legacy_tokens'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * A row of the old table, as text whatever its columns are.
 */
export type LegacyTokenRow = {
  id: string
  hash: string
  model: string | null
  userId: string | null
  abilities: string | null
  createdAt: string | null
  expiresAt: string | null
}

/**
 * The columns in which the two frameworks differ.
 */
const COLUMNS = {
  adonis: { hash: 'hash', model: 'type' },
  sanctum: { hash: 'token', model: 'tokenable_type' },
}

/**
 * The row that a token may be: by the id that it names, since the stock table of AdonisJS has no index on
 * hashes, or by its hash, which Sanctum's has. Whoever calls compares both.
 */
export function findLegacyToken(shown: {
  id: string | null
  hash: string
}): Promise<LegacyTokenRow | undefined> {
  return askOldSystem(async (client, { kind, table }) => {
    const columns: Record<keyof LegacyTokenRow, string> = {
      id: 'id',
      hash: COLUMNS[kind].hash,
      model: COLUMNS[kind].model,
      userId: 'tokenable_id',
      abilities: 'abilities',
      createdAt: 'created_at',
      expiresAt: 'expires_at',
    }
    const texts = Object.entries(columns).map(([name, column]) =>
      client.raw(`${asText(client, column)} AS ??`, [name])
    )
    const query = client.from(table).select(...texts)
    if (kind === 'adonis') query.whereRaw(`id = ${asInteger(client)}`, [shown.id!])
    else query.where('token', shown.hash)
    const [row]: LegacyTokenRow[] = await query.limit(1).timeout(LEGACY_TIMEOUT_MS)
    return row
  })
}

/**
 * Deletes that row. It may be gone already.
 */
export function deleteLegacyToken({ id, hash }: { id: string; hash: string }): Promise<void> {
  return askOldSystem(async (client, { kind, table }) => {
    const query = client.from(table).where(COLUMNS[kind].hash, hash)
    if (kind === 'adonis') query.whereRaw(`id = ${asInteger(client)}`, [id])
    await query.timeout(LEGACY_TIMEOUT_MS).delete()
  })
}

/**
 * Asks the old database. Whatever goes wrong there, down to a table that is not as it should be, is no
 * verdict on a token: `E_UNAVAILABLE`.
 */
async function askOldSystem<Result>(
  work: (
    client: QueryClientContract,
    store: { kind: 'adonis' | 'sanctum'; table: string }
  ) => Promise<Result>
): Promise<Result> {
  const { kind, table, connection } = legacyTokensConfig
  try {
    return await work(db.connection(connection), { kind: kind!, table })
  } catch (error) {
    throw new E_UNAVAILABLE({ retryAfter: 5, cause: error })
  }
}
