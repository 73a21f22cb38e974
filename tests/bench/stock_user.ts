import { DateTime } from 'luxon'
import { BaseModel, column } from '@adonisjs/lucid/orm'
import { DbAccessTokensProvider } from '@adonisjs/auth/access_tokens'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'

/**
 * The user of the stock token guard, as the documentation of @adonisjs/auth sets it up.
 */
export default class StockUser extends BaseModel {
  static table = 'stock_users'

  @column({ isPrimary: true })
  declare id: number

  @column()
  declare fullName: string | null

  @column()
  declare email: string

  @column({ serializeAs: null })
  declare password: string

  @column.dateTime({ autoCreate: true })
  declare createdAt: DateTime

  @column.dateTime({ autoCreate: true, autoUpdate: true })
  declare updatedAt: DateTime | null

  static accessTokens = DbAccessTokensProvider.forModel(StockUser)
}

/**
 * The tables of the documentation's migrations.
 */
export async function createStockTables(client: QueryClientContract): Promise<void> {
  await client.schema.createTable('stock_users', (table) => {
    table.increments('id').notNullable()
    table.string('full_name').nullable()
    table.string('email', 254).notNullable().unique()
    table.string('password').notNullable()
    table.timestamp('created_at').notNullable()
    table.timestamp('updated_at').nullable()
  })
  await client.schema.createTable('auth_access_tokens', (table) => {
    table.increments('id')
    table.integer('tokenable_id').notNullable().references('stock_users.id').onDelete('CASCADE')
    table.string('type').notNullable()
    table.string('name').nullable()
    table.string('hash').notNullable()
    table.text('abilities').notNullable()
    table.timestamp('created_at')
    table.timestamp('updated_at')
    table.timestamp('last_used_at').nullable()
    table.timestamp('expires_at').nullable()
  })
}
