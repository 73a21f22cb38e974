import { test } from '@japa/runner'
import { disableUser } from '#app/accounts/disabled_users'
import { verifyToken } from '#app/token_verification/verify_token'
import { setWatermarkForEveryone } from '#app/watermarks/set_watermark'
import { backfillWatermarks } from '#app/watermarks/backfill'
import { openSessionUnderLock } from '#app/sessions/open'
import { renewSession } from '#app/sessions/renew'
import { withUserLock } from '#app/sessions/user_lock'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

const ORDER = { reason: 'forced', actor: 'command:test', includeApiKeys: false } as const
const cutEveryone = () => setWatermarkForEveryone(ORDER, async () => {})

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

    await backfillWatermarks({ only: [id] })
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
