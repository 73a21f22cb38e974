import database from '@adonisjs/lucid/services/db'

/**
 * The tables of the starter kit and its auth package's migration, and one of the team's.
 */
export async function makeTables() {
  const db = database.connection()
  if (await db.schema.hasTable('users')) return
  await db.schema.createTable('users', (table) => {
    table.increments('id').notNullable()
    table.string('email', 254).notNullable().unique()
    table.string('password').notNullable()
  })
  await db.schema.createTable('auth_access_tokens', (table) => {
    table.increments('id')
    table
      .integer('tokenable_id')
      .notNullable()
      .unsigned()
      .references('id')
      .inTable('users')
      .onDelete('CASCADE')
    table.string('type').notNullable()
    table.string('name').nullable()
    table.string('hash').notNullable()
    table.text('abilities').notNullable()
    table.timestamp('created_at')
    table.timestamp('updated_at')
    table.timestamp('last_used_at').nullable()
    table.timestamp('expires_at').nullable()
  })
  await db.schema.createTable('orders', (table) => {
    table.integer('user_id').notNullable()
    table.string('item').notNullable()
  })
}
