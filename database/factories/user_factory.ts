import Factory from '@adonisjs/lucid/factories'
import { hashPassword } from '#app/passwords/passwords'
import User from '#models/user'

/**
 * Users with invented names and a password that nobody knows. `make` one and hand it to
 * `createUser`, which writes the event as well.
 */
export const UserFactory = Factory.define(User, async ({ faker }) => ({
  email: `${faker.string.uuid()}@example.com`,
  fullName: faker.person.fullName(),
  password: await hashPassword(faker.internet.password({ length: 32 })),
}))
  .state('admin', (user) => {
    user.role = 'admin'
  })
  .build()
