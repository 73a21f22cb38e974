import app from '@adonisjs/core/services/app'
import { BaseSeeder } from '@adonisjs/lucid/seeders'
import { inTransaction } from '#app/database/transaction'
import { createUser } from '#app/accounts/sign_up'
import { findUser } from '#app/accounts/find_users'
import { hashPassword } from '#app/passwords/passwords'
import { demoUsers } from '#database/demo_users'
import { UserFactory } from '#database/factories/user_factory'

/**
 * Makes the demo users that are not there yet. Throws in production mode, where their well-known
 * passwords would be an open door.
 */
export default class DemoUsersSeeder extends BaseSeeder {
  async run() {
    if (app.inProduction) {
      throw new Error('Demo users have well-known passwords: they are not made in production mode.')
    }
    for (const { password, ...demo } of demoUsers) {
      if (await findUser(demo.email)) continue
      const hashed = await hashPassword(password)
      const { email, fullName, role } = await UserFactory.merge({
        ...demo,
        password: hashed,
      }).make()
      await inTransaction((trx) =>
        createUser(trx, { email, fullName, role, password: hashed }, 'command:db:seed')
      )
    }
  }
}
