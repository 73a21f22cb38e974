import { BaseModel, column } from '@adonisjs/lucid/orm'
import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import clock from '#app/clock'
import { hashPassword } from '#app/passwords/passwords'
import { tokenLookup } from '#app/token_verification/token_lookup'
import { hashToken } from '#app/tokens/token'
import User from '#models/user'
import { checkUserHydration } from '#models/user_row'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

async function userOfCheck(user: User): Promise<User> {
  const { tokens } = await signIn(user)
  const record = await tokenLookup.read(hashToken(tokens.token))
  return record!.user
}

/** What no check reads. */
function asChecked({
  password,
  emailKey,
  mustVerifyEmail,
  importedAt,
  ...rest
}: Record<string, unknown>) {
  return rest
}

class SignIn extends BaseModel {
  static table = 'sessions'

  @column({ isPrimary: true })
  declare id: string

  @column()
  declare userId: number
}

test.group('The user that a check reads', (group) => {
  group.each.setup(() => emptyDatabase())

  test('is the model as Lucid reads it', async ({ assert }) => {
    const made = await makeUser({ fullName: 'Ada', role: 'admin' })
    made.sessionLimit = 3
    await made.save()
    const read = await userOfCheck(made)
    const user = await User.findOrFail(made.id)

    assert.instanceOf(read, User)
    assert.isDefined(user.password)
    assert.deepEqual(read.$attributes, asChecked(user.$attributes))
    assert.deepEqual(read.$original, asChecked(user.$original))
    assert.deepEqual(read.$dirty, {})
    assert.isTrue(read.$isPersisted)
    assert.isFalse(read.$isLocal)
    assert.deepEqual(read.serialize(), user.serialize())
    assert.equal(read.fullName, 'Ada')
    assert.isTrue(read.isAdmin)
  })

  test('can be changed and saved', async ({ assert }) => {
    const read = await userOfCheck(await makeUser())
    read.fullName = 'Ada'
    assert.deepEqual(read.$dirty, { fullName: 'Ada' })
    await read.save()
    const user = await User.findOrFail(read.id)
    assert.equal(user.fullName, 'Ada')
    await user.merge({ fullName: 'Bob' }).save()
    await read.refresh()
    assert.equal(read.fullName, 'Bob')
  })
  test('comes without the password, which saving leaves alone', async ({ assert }) => {
    const made = await makeUser()
    const read = await userOfCheck(made)
    assert.isUndefined(read.password)
    assert.notProperty(read.$attributes, 'password')

    const changed = hashPassword('another long password')
    await User.query()
      .where('id', made.id)
      .update({ password: await changed })
    await read.merge({ fullName: 'Ada' }).save()
    const user = await User.findOrFail(made.id)
    assert.equal(user.password, await changed)
    assert.equal(user.fullName, 'Ada')
    await read.refresh()
    assert.equal(read.password, await changed)
    assert.isFalse(read.$isDirty)
  })

  test('can not be signed in with unless it is read again', async ({ assert }) => {
    const read = await userOfCheck(await makeUser())
    await assert.rejects(() => signIn(read), /load it again/)
    await signIn(await User.findOrFail(read.id))
  })

  test('loads relations and can be deleted', async ({ assert, cleanup }) => {
    User.$addRelation('signIns', 'hasMany', () => SignIn, { foreignKey: 'userId' } as never)
    cleanup(() => void User.$relationsDefinitions.delete('signIns'))
    const read = await userOfCheck(await makeUser())
    await read.load('signIns' as never)
    const { signIns } = read as unknown as { signIns: SignIn[] }
    assert.lengthOf(signIns, 1)
    assert.equal(signIns[0].userId, read.id)
    await read.delete()
    assert.isNull(await User.find(read.id))
  })

  test('speaks DateTime, in UTC and of the clock', async ({ assert, cleanup }) => {
    cleanup(() => clock.restore())
    clock.freeze(new Date('2026-03-01T12:00:00.007Z'))
    const made = await makeUser()
    assert.equal(made.createdAt.toISO(), '2026-03-01T12:00:00.007Z')
    clock.advance(1_000)
    await made.merge({ fullName: 'Ada', disabledAt: DateTime.now() }).save()
    const user = await User.findOrFail(made.id)
    assert.equal(JSON.stringify(user.createdAt), '"2026-03-01T12:00:00.007Z"')
    assert.equal(JSON.stringify(user.updatedAt), '"2026-03-01T12:00:01.007Z"')
    assert.isTrue(user.disabledAt!.equals(made.disabledAt!))
    const found = await User.query().where('createdAt', '<', clock.now()).where('id', user.id)
    assert.lengthOf(found, 1)
    await assert.rejects(() => user.merge({ disabledAt: DateTime.fromISO('soon') }).save())
  })

  test('an upgrade of Lucid that keeps models in another way is noticed', ({ assert, cleanup }) => {
    checkUserHydration()
    const own = User.$createFromAdapterResult
    cleanup(() => {
      User.$createFromAdapterResult = own
    })
    User.$createFromAdapterResult = ((row: object) =>
      Object.assign(own.call(User, row) as object, { $loadedAt: 1 })) as never
    assert.throws(() => checkUserHydration(), /keeps "\$loadedAt" of a model in another way/)
  })
})
