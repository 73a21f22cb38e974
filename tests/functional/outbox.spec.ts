import { test } from '@japa/runner'
import mail from '@adonisjs/mail/services/main'
import db from '@adonisjs/lucid/services/db'
import { forgotPassword } from '#app/accounts/password_reset'
import { linkRequests } from '#app/accounts/mailed_links'
import clock from '#app/clock'
import { inTransaction } from '#app/database/transaction'
import { prune } from '#app/jobs/prune'
import { withUserLock } from '#app/sessions/user_lock'
import sessionsConfig from '#config/sessions'
import { LEASE, queueMail, takeMail } from '#mails/outbox'
import { Postman, postman } from '#mails/postman'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { openMailbox, tokenIn } from '#tests/harness/mailbox'
import { keepPolicy } from '#tests/harness/policy'
import { until } from '#tests/harness/until'

const waiting = () => countRows('outgoing_mails')
const MINUTE = 60_000

/**
 * What a mail server may answer, as nodemailer throws it, from the next mail on; undefined: it takes it.
 */
function answerMails(cleanup: (undo: () => void) => void) {
  const { mails } = mail.fake()
  cleanup(() => mail.restore())
  const mailer = mail.use() as { send: (...args: any[]) => Promise<any> }
  const send = mailer.send.bind(mailer)
  let fault: object | undefined
  let tries = 0
  mailer.send = async (...args) => {
    tries++
    if (fault) throw Object.assign(new Error('refused'), fault)
    return send(...args)
  }
  return {
    with: (thrown?: object) => void (fault = thrown),
    tries: () => tries,
    sent: () => mails.sent().length,
  }
}

test.group('Mails that wait', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    return () => {
      restore()
      clock.restore()
    }
  })

  const askForLink = async (email: string) => {
    await forgotPassword(email)
    await linkRequests.settled()
  }

  test('commit with what they tell, or not at all, and hold no secret', async ({
    assert,
    cleanup,
  }) => {
    const user = await makeUser()
    await assert.rejects(() =>
      withUserLock(user.id, async (trx) => {
        await queueMail(trx, { userId: user.id }, { kind: 'email_change', at: clock.now() })
        throw new Error('undone')
      })
    )
    assert.equal(await waiting(), 0)

    await askForLink(user.email)
    assert.equal(await waiting(), 1)
    const stored = await snapshot()
    const mailbox = openMailbox()
    cleanup(() => mailbox.close())
    const [{ to, text }] = await mailbox.read()
    assert.equal(to, user.email)
    assert.equal(await waiting(), 0)
    const token = tokenIn(text)
    assert.notInclude(stored, token)
    assert.notInclude(stored, token.slice(4))
  })

  test('a device that the account knows costs no row, one that it does not one', async ({
    assert,
  }) => {
    Object.assign(sessionsConfig, { limit: 0, notifyNewDevice: true })
    const user = await makeUser()
    const devices = [
      { id: 'phone', name: 'Phone' },
      { userAgent: 'curl/8', ip: '192.0.2.1' },
      { userAgent: 'curl/8', ip: null },
    ]
    for (const device of devices) await signIn(user, device)
    assert.equal(await waiting(), 3)
    await signIn(user, { id: 'phone', name: 'Renamed' })
    await signIn(user, devices[1])
    assert.equal(await waiting(), 3)
    await signIn(user, devices[2])
    assert.equal(await waiting(), 4)
  })

  test('an account has ten of a kind waiting at most, and they go when it goes', async ({
    assert,
  }) => {
    Object.assign(sessionsConfig, { limit: 0, notifyNewDevice: true })
    const [user, other] = [await makeUser(), await makeUser()]
    for (let id = 0; id < 13; id++) await signIn(user, { id: `device ${id}` })
    await signIn(other, { id: 'phone' })
    assert.equal(await waiting(), 11)
    await askForLink(user.email)
    assert.equal(await waiting(), 12)
    await user.delete()
    assert.equal(await waiting(), 1)
  })

  test('each is taken by one of many, and again when its node has died with it', async ({
    assert,
  }) => {
    const users = [await makeUser(), await makeUser(), await makeUser()]
    for (const user of users) await askForLink(user.email)
    const taken = await Promise.all(Array.from({ length: 6 }, () => takeMail()))
    const ids = taken.flatMap((one) => one?.id ?? [])
    /** On PostgreSQL one that finds its choice locked may come back with none. */
    while (ids.length < 3) ids.push((await takeMail())!.id)
    assert.lengthOf(new Set(ids), 3)
    assert.isNull(await takeMail())
    clock.advance(LEASE)
    assert.include(ids, (await takeMail())!.id)
  })

  test('what fails is tried again, later each time, and given up in the end', async ({
    assert,
    cleanup,
  }) => {
    const { id: userId } = await makeUser()
    const answer = answerMails(cleanup)
    answer.with({ code: 'EAUTH', command: 'AUTH', responseCode: 535 })
    await inTransaction((trx) =>
      queueMail(trx, { userId }, { kind: 'email_change', at: clock.now() })
    )
    const tries = [30_000, 60_000, 120_000]
    for (const [index, wait] of tries.entries()) {
      await postman.deliver()
      assert.equal(answer.tries(), index + 1)
      clock.advance(wait - 1)
      await postman.deliver()
      assert.equal(answer.tries(), index + 1)
      clock.advance(1)
    }
    answer.with()
    await postman.deliver()
    assert.equal(answer.sent(), 1)
    assert.equal(await waiting(), 0)

    answer.with({ code: 'ECONNECTION' })
    await inTransaction((trx) =>
      queueMail(trx, { userId }, { kind: 'email_change', at: clock.now() })
    )
    for (let hours = 0; hours < 3 * 24; hours++) {
      await postman.deliver()
      clock.advance(60 * MINUTE)
    }
    assert.equal(await waiting(), 0)
    assert.equal(answer.sent(), 1)
  })

  test('a mailbox that is refused for good is given up at once', async ({ assert, cleanup }) => {
    const user = await makeUser()
    const answer = answerMails(cleanup)
    answer.with({ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550 })
    await askForLink(user.email)
    await postman.deliver()
    assert.equal(answer.tries(), 1)
    assert.equal(await waiting(), 0)
  })

  test('a mail server that is out of reach is asked for few of many', async ({
    assert,
    cleanup,
  }) => {
    const answer = answerMails(cleanup)
    answer.with({ code: 'ETIMEDOUT' })
    for (let count = 0; count < 5; count++) {
      const { email } = await makeUser()
      await askForLink(email)
    }
    await postman.deliver()
    assert.isAtMost(answer.tries(), 2)
    answer.with()
    await postman.deliver()
    clock.advance(MINUTE)
    await postman.deliver()
    assert.equal(answer.sent(), 5)
  })

  test('a link that is dead by then is not mailed, and old ones are pruned', async ({
    assert,
    cleanup,
  }) => {
    const user = await makeUser()
    const answer = answerMails(cleanup)
    await askForLink(user.email)
    await db.from('password_resets').delete()
    await postman.deliver()
    assert.deepEqual([answer.tries(), await waiting()], [0, 0])

    clock.advance(MINUTE)
    await askForLink(user.email)
    clock.advance(60 * MINUTE)
    await prune({ olderThan: 30 * 24 * 60 * MINUTE })
    assert.equal(await waiting(), 0)
  })

  test('one under way at a stop is due again for whoever looks next', async ({
    assert,
    cleanup,
  }) => {
    const user = await makeUser()
    mail.fake()
    cleanup(() => mail.restore())
    Object.assign(mail.use(), { send: () => new Promise(() => {}) })
    await askForLink(user.email)
    const leaving = new Postman()
    void leaving.deliver()
    await until(async () => (await countRows('outgoing_mails', { attempts: 1 })) === 1, 'taken')
    assert.equal(await leaving.stop(10), 1)
    const again = await takeMail()
    assert.equal(again?.email, user.email)
  })
})
