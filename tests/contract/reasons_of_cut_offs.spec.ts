import { test } from '@japa/runner'
import { disableUser } from '#accounts/disable_user'
import { verifyToken } from '#auth/verification'
import { cutOffEveryone } from '#sessions/cut_off'
import { finishCutoffs } from '#sessions/finish_cutoffs'
import { openSessionUnderLock } from '#sessions/open_session'
import { renewSession } from '#sessions/renew_session'
import { withUserLock } from '#sessions/user_lock'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

const ORDER = { reason: 'forced', actor: 'command:test', includeApiKeys: false } as const
const cutEveryone = () => cutOffEveryone(ORDER, async () => {})

async function reasonOf(token: string) {
  const verdict = await verifyToken(token, ['access'])
  return verdict.type === 'ended' ? verdict.end.reason : verdict.type
}

test.group('The reason of a cut-off stays the reason', (group) => {
  group.each.setup(() => emptyDatabase())

  test('when the account is disabled before the ends are written', async ({ assert }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const { id } = await cutEveryone()
    assert.equal(await reasonOf(tokens.token), 'forced')

    await disableUser(user.id, { actor: 'command:test' })
    assert.equal(await reasonOf(tokens.token), 'forced')
    const holder = { keyThumbprint: null, userAgent: 'tests' }
    const refused = await renewSession(tokens.refreshToken!, holder).catch((error) => error)
    assert.equal(refused.end.reason, 'forced')

    await finishCutoffs({ only: [id] })
    assert.equal(await reasonOf(tokens.token), 'forced')
  })

  test('when a sign-in was on its way to evict the session', async ({ assert }) => {
    const user = await makeUser()
    const old = await signIn(user)
    let hasCut = false
    const signingIn = await withUserLock(user.id, async (trx, locked) => {
      const cutting = cutEveryone().then(() => (hasCut = true))
      await new Promise((resolve) => setTimeout(resolve, 100))
      assert.isFalse(hasCut)
      const opened = await openSessionUnderLock(trx, locked!, {
        device: { id: null, name: null, platform: null },
        ip: null,
        userAgent: null,
      })
      return { opened, cutting }
    })
    await signingIn.cutting
    assert.equal(await reasonOf(old.tokens.token), 'superseded')
    assert.equal(await reasonOf(signingIn.opened.tokens.token), 'forced')
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has one writer at a time')
})
