import { test } from '@japa/runner'
import mail from '@adonisjs/mail/services/main'
import { linkRequests } from '#app/accounts/mailed_links'
import sessionsConfig from '#config/sessions'
import { postman } from '#mails/postman'
import ApiKeyCreatedMail from '#mails/api_key_created_mail'
import NewDeviceMail from '#mails/new_device_mail'
import PasswordResetMail from '#mails/password_reset_mail'
import PasswordChangedMail from '#mails/password_changed_mail'
import { makeApiKey, makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

test.group('Mails about API keys', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    return keepPolicy()
  })

  const createKey = async (client: any, token: string, name: string) => {
    const answer = await client.post('/api/v1/api-keys').bearerToken(token).json({ name })
    answer.assertStatus(201)
    return answer.body().data
  }

  test('the owner hears of a new key, without its value, on one line', async ({
    client,
    cleanup,
  }) => {
    const { mails } = mail.fake()
    cleanup(() => mail.restore())
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const { key } = await createKey(client, tokens.token, 'Export\u2028Urgent:')
    await postman.deliver()
    mails.assertSent(ApiKeyCreatedMail, ({ message }) => {
      message.assertTo(user.email)
      message.assertTextIncludes('Export')
      message.assertTextIncludes('/api-keys')
      const { text } = message.toObject().message
      return !String(text).includes(key) && !String(text).includes('\u2028')
    })
  })

  test('the mail with a link to reset a password names the keys that live on', async ({
    client,
    cleanup,
  }) => {
    const user = await makeUser()
    await makeApiKey(user, ['*'])
    await makeApiKey(user, ['*'], new Date(0))
    const { mails } = mail.fake()
    cleanup(() => mail.restore())
    const asked = await client.post('/api/v1/auth/password/forgot').json({ email: user.email })
    asked.assertStatus(202)
    await linkRequests.settled()
    await postman.deliver()
    mails.assertSent(PasswordResetMail, ({ message }) => {
      message.assertTextIncludes('/api-keys')
      const { text } = message.toObject().message
      return String(text).split('  script').length === 2
    })
  })

  test('mails of a new device and of a changed password name the keys that live on', async ({
    client,
    cleanup,
  }) => {
    sessionsConfig.notifyNewDevice = true
    const user = await makeUser()
    const { tokens } = await signIn(user)
    await createKey(client, tokens.token, 'Nightly export')
    const { mails } = mail.fake()
    cleanup(() => mail.restore())
    const other = await signIn(user, { name: 'Tablet', platform: 'android' })
    await postman.deliver()
    mails.assertSent(NewDeviceMail, ({ message }) => {
      message.assertTextIncludes('Nightly export')
      return true
    })
    const changed = await client
      .put('/api/v1/account/password')
      .bearerToken(other.tokens.token)
      .json({ currentPassword: PASSWORD, password: 'an analytical engine of brass' })
    changed.assertStatus(200)
    await postman.deliver()
    mails.assertSent(PasswordChangedMail, ({ message }) => {
      message.assertTextIncludes('Nightly export')
      return true
    })
  })
})
