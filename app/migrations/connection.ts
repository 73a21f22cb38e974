import db from '@adonisjs/lucid/services/db'
import type { PostgreConfig } from '@adonisjs/lucid/types/database'
import type { Client } from 'pg'

/**
 * The connection on which migrations run: like the primary one, without its limits on time.
 */
const CONNECTION = 'migrations'

/**
 * The name of the connection for migrations: building an index may take longer than a request may
 * wait.
 */
export function connectionForMigrations(): string {
  const primary = db.primaryConnectionName
  const { config } = db.manager.get(primary)!
  if (config.client !== 'pg') return primary
  if (!db.manager.has(CONNECTION)) db.manager.add(CONNECTION, withoutTimeouts(config))
  return CONNECTION
}

function withoutTimeouts(config: PostgreConfig): PostgreConfig {
  const { afterCreate } = config.pool ?? {}
  const connection = config.connection as object
  return {
    ...config,
    connection: { ...connection, query_timeout: 0 } as PostgreConfig['connection'],
    pool: {
      ...config.pool,
      max: 2,
      afterCreate(client: Client, done: (error: Error | null, client: Client) => void) {
        const lift = (error: Error | null) =>
          error
            ? done(error, client)
            : client.query(
                'SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0',
                (fault: Error | null) => done(fault, client)
              )
        if (afterCreate) afterCreate(client, lift)
        else lift(null)
      },
    },
  }
}
