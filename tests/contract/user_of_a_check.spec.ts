import { test } from '@japa/runner'
import { tokenLookup } from '#app/token_verification/token_lookup'
import { hashToken } from '#app/tokens/token'
import User from '#models/user'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

async function userOfCheck(user: User): Promise<User> {
  const { tokens } = await signIn(user)
  const record = await tokenLookup.read(hashToken(tokens.token))
  return record!.user
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
    assert.deepEqual(read.$attributes, user.$attributes)
    assert.deepEqual(read.$original, user.$original)
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
})
