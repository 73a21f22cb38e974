import type { Logger } from '@adonisjs/core/logger'
import { connectPostgres, type PostgresOptions } from '#app/database/postgres'
import { direct, postgresOptions } from '#config/database'
import env, { usesPostgres } from '#start/env'

/**
 * The oldest PostgreSQL that is supported, as `server_version_num` says it.
 */
const OLDEST = 140_000

/**
 * Says in the log where the data is and how it was reached, and what of that will not do. Never
 * throws, and tells no secret.
 */
export async function describeDatabase(logger: Logger): Promise<void> {
  if (!usesPostgres) {
    logger.info({ file: env.get('SQLITE_FILE') }, 'The database is a file of SQLite.')
    if (env.get('DATABASE_URL')) {
      logger.warn('DB_CONNECTION=sqlite is set, so DATABASE_URL is not used.')
    }
    return
  }
  await describePostgres(logger, 'DATABASE_URL', postgresOptions.postgres)
  if (direct !== postgresOptions.postgres) {
    await describePostgres(logger, 'DATABASE_DIRECT_URL', direct)
  } else if (direct.pooler === 'transaction') {
    logger.warn(
      'DATABASE_DIRECT_URL is not set: event streams hear of other nodes once a second, and "node ace migration:run" needs it.'
    )
  }
}

async function describePostgres(logger: Logger, variable: string, options: PostgresOptions) {
  try {
    const client = await connectPostgres(options)
    const { pooled, version, ...server } = client.server
    await client.end()
    const through = pooled ? ` through a pooler (DATABASE_POOLER=${options.pooler})` : ''
    const number = `${Math.floor(version / 10_000)}.${version % 10_000}`
    logger.info(server, `${variable}: connected to PostgreSQL ${number}${through}.`)
    if (version < OLDEST) {
      logger.error(`PostgreSQL ${number} is too old: Latchkey needs 14 or newer.`)
    }
    if (pooled && options.pooler === 'none') {
      logger.error(
        `${variable} leads to a pooler: set DATABASE_POOLER to its mode, session or transaction.`
      )
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    logger.error({ code }, `${variable}: no connection to PostgreSQL. ${message}`)
  }
}
