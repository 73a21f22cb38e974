import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { deleteSpentTokens, deletions } from '#app/accounts/spent_legacy_tokens'
import legacyTokensConfig, { type LegacyTokensConfig } from '#config/legacy_tokens'
import sessionsConfig from '#config/sessions'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { hasMariadb, startMariadb } from '#tests/harness/mariadb'
import {
  issueOldToken,
  makeTokensTable,
  openOldDatabase,
  sanctumSecret,
  type Kind,
} from '#tests/harness/old_tokens'

const DAY = 86_400_000
const TABLE = 'old_tokens'
const nameOf = (kind: Kind) => `${TABLE}_${kind}`
const MODELS = { adonis: 'auth_token', sanctum: 'App\\Models\\User' }
const KINDS: Kind[] = ['adonis', 'sanctum']

const post = (client: any, token: unknown, device?: object) =>
  client.post('/api/v1/auth/exchange').json({ token, device })

/**
 * Opens the door for tokens of a kind, in this run's own database.
 */
function openFor(kind: Kind, more: Partial<LegacyTokensConfig> = {}) {
  Object.assign(legacyTokensConfig, {
    kind,
    connection: undefined,
    timeZone: 'utc',
    table: more.connection ? TABLE : nameOf(kind),
    model: MODELS[kind],
    user: 'id',
    maxAge: 90 * DAY,
    until: new Date(clock.millis() + DAY),
    ...more,
  })
}

function keepConfig() {
  const kept = { ...legacyTokensConfig }
  const policy = { ...sessionsConfig }
  return async () => {
    await deletions.settled()
    for (const name of Object.keys(legacyTokensConfig))
      Reflect.deleteProperty(legacyTokensConfig, name)
    Object.assign(legacyTokensConfig, kept)
    Object.assign(sessionsConfig, policy)
    clock.restore()
  }
}

/**
 * A date as PHP and SQL write it, without a zone.
 */
const sql = (at: Date) => at.toISOString().slice(0, 19).replace('T', ' ')

const ago = (ms: number) => new Date(clock.millis() - ms)

type Place = { skip?: string; open: () => Promise<{ url: string; stop: () => unknown }> }

/**
 * Old databases that are not this one.
 */
const PLACES: Record<string, Place> = {
  'an SQLite file': { open: async () => makeSqliteFile() },
  'another PostgreSQL database': {
    skip: process.env.DB_CONNECTION === 'postgres' ? undefined : 'runs with PostgreSQL alone',
    open: async () => {
      const url = new URL(process.env.DATABASE_URL!)
      url.pathname = '/old_system'
      await db.rawQuery('DROP DATABASE IF EXISTS old_system WITH (FORCE)')
      await db.rawQuery('CREATE DATABASE old_system')
      return { url: url.href, stop: () => {} }
    },
  },
  'MariaDB': {
    skip: hasMariadb() ? undefined : 'MariaDB is not installed',
    open: startMariadb,
  },
}

async function makeSqliteFile() {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-old-'))
  const file = join(directory, 'old app.sqlite3')
  db.manager.add('making', { client: 'sqlite3', connection: { filename: file } })
  await db.connection('making').rawQuery('PRAGMA user_version = 1')
  await db.manager.release('making')
  return { file, url: `sqlite:${file}`, stop: () => rmSync(directory, { recursive: true }) }
}

for (const [place, { skip, open }] of Object.entries(PLACES)) {
  test.group(`Exchange of tokens in ${place}`, (group) => {
    let old: Awaited<ReturnType<typeof openOldDatabase>>

    group.tap((one) => one.timeout(60_000).skip(skip !== undefined, skip))
    group.setup(async () => {
      if (skip) return () => {}
      await emptyDatabase()
      const restore = keepConfig()
      const { url, stop } = await open()
      old = await openOldDatabase(url)
      return async () => {
        await restore()
        await old.close()
        await stop()
      }
    })

    for (const kind of KINDS) {
      test(`${kind}: each works once, is deleted there, and its dates and abilities hold`, async ({
        client,
        assert,
      }) => {
        openFor(kind, { connection: 'legacy_tokens', maxAge: 10 * DAY })
        await makeTokensTable(old.client, kind, TABLE)
        const user = await makeUser()
        const issue = (row: Record<string, unknown> = {}) =>
          issueOldToken(old.client, kind, TABLE, user.id, row)

        const good = [
          await issue(),
          await issue({ created_at: ago(9 * DAY), expires_at: ago(-DAY) }),
          await issue({ created_at: sql(ago(DAY)), expires_at: sql(ago(-DAY)) }),
        ]
        const bad = [
          await issue({ created_at: ago(11 * DAY) }),
          await issue({ created_at: sql(ago(11 * DAY)) }),
          await issue({ created_at: null }),
          await issue({ expires_at: ago(DAY) }),
          await issue({ expires_at: sql(ago(60_000)) }),
          await issue({ abilities: null }),
          await issue({ abilities: '["orders:read"]' }),
        ]
        for (const token of bad) {
          const refused = await post(client, token)
          refused.assertStatus(400)
        }
        for (const token of good) {
          const answer = await post(client, token)
          answer.assertStatus(200)
          const again = await post(client, token)
          again.assertStatus(400)
        }
        await deletions.settled()
        const left = await old.client.from(TABLE).select('id')
        assert.lengthOf(left, bad.length)
      })
    }
  })
}

test.group('Exchange of tokens', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    for (const kind of KINDS) await makeTokensTable(db.connection(), kind, nameOf(kind))
    const restore = keepConfig()
    openFor('adonis')
    return async () => {
      await restore()
      for (const kind of KINDS) await db.connection().schema.dropTable(nameOf(kind))
    }
  })

  const issue = (kind: Kind, userId: number | string, row?: Record<string, unknown>) =>
    issueOldToken(db.connection(), kind, nameOf(kind), userId, row)

  test('{$self}: the right one becomes a session under the policy, as old as the token')
    .with(KINDS)
    .run(async ({ client, assert }, kind) => {
      openFor(kind)
      const user = await makeUser()
      const { tokens } = await signIn(user)
      const at = ago(5 * DAY)
      const token = await issue(kind, user.id, { created_at: at })

      const answer = await post(client, token, { name: 'Phone', platform: 'ios' })
      answer.assertStatus(200)
      const { data } = answer.body()
      assert.equal(data.user.id, user.id)
      assert.equal(data.endedSessions[0].reason, 'superseded')
      assert.closeTo(Date.parse(data.session.authenticatedAt), at.getTime(), 1500)
      const evicted = await client.get('/api/v1/account').bearerToken(tokens.token)
      assert.equal(evicted.body().errors[0].reason, 'superseded')
      const key = await client
        .post('/api/v1/api-keys')
        .bearerToken(data.token)
        .json({ name: 'Export' })
      assert.equal(key.body().errors[0].code, 'E_REAUTHENTICATION_REQUIRED')
    })

  test('{$self}: of 50 at once with one token, one is signed in')
    .with(KINDS)
    .run(async ({ client, assert }, kind) => {
      openFor(kind)
      const user = await makeUser()
      const token = await issue(kind, user.id)
      const answers = await Promise.all(Array.from({ length: 50 }, () => post(client, token)))
      const statuses = answers.map((answer) => answer.status()).sort()
      assert.deepEqual(statuses, [200, ...Array(49).fill(400)])
      assert.equal(await countRows('sessions'), 1)
      await deletions.settled()
      assert.equal(await countRows(nameOf(kind)), 0)
    })

  /** Of each: the row that it is refused for, and with what it is accepted. */
  const now = () => clock.now()
  const ROWS: [why: string, kinds: Kind[], row: () => object, accepted: boolean][] = [
    ['another model', ['adonis'], () => ({ type: 'admin_token' }), false],
    ['another model', ['sanctum'], () => ({ tokenable_type: 'App\\Models\\Admin' }), false],
    ['its model in other letters', ['adonis'], () => ({ type: 'AUTH_TOKEN' }), false],
    ['null abilities', KINDS, () => ({ abilities: null }), false],
    ['no abilities', KINDS, () => ({ abilities: '[]' }), false],
    ['some abilities', KINDS, () => ({ abilities: '["orders:read"]' }), false],
    ['all abilities and one more', KINDS, () => ({ abilities: '["*","a"]' }), false],
    ['abilities that are no list', KINDS, () => ({ abilities: '"*"' }), false],
    ['abilities that are no JSON', KINDS, () => ({ abilities: '*' }), false],
    ['all abilities, spelt wide', KINDS, () => ({ abilities: ' [ "*" ] ' }), true],
    ['no end', KINDS, () => ({ expires_at: null }), true],
    ['an end that has come', KINDS, () => ({ expires_at: ago(1_500) }), false],
    ['an end to come', KINDS, () => ({ expires_at: ago(-5_000) }), true],
    ['too great an age', KINDS, () => ({ created_at: ago(90 * DAY + 1_500) }), false],
    ['an age just under it', KINDS, () => ({ created_at: ago(90 * DAY - 5_000) }), true],
    ['no age', KINDS, () => ({ created_at: null }), false],
    ['a birth to come', KINDS, () => ({ created_at: ago(-60_000) }), false],
    ['nobody as its user', KINDS, () => ({ tokenable_id: 999_999_999 }), false],
    ['another hash', ['adonis'], () => ({ hash: 'f'.repeat(64) }), false],
    ['a hash in capitals', ['adonis'], () => ({ hash: 'F'.repeat(64) }), false],
    ['an empty hash', ['adonis'], () => ({ hash: '' }), false],
  ]
  for (const [why, kinds, row, accepted] of ROWS) {
    for (const kind of kinds) {
      test(`${kind}: a token of ${why} is ${accepted ? 'accepted' : 'refused, and not spent'}`, async ({
        client,
        assert,
      }) => {
        openFor(kind)
        clock.freeze(new Date(Math.floor(now().getTime() / 1000) * 1000))
        const user = await makeUser()
        const token = await issue(kind, user.id, row() as Record<string, unknown>)
        const answer = await post(client, token)
        answer.assertStatus(accepted ? 200 : 400)
        if (accepted) return
        assert.equal(answer.body().errors[0].code, 'E_INVALID_CREDENTIALS')
        assert.equal(await countRows('spent_legacy_tokens'), 0)
        assert.equal(await countRows(nameOf(kind)), 1)
      })
    }
  }

  test('every refusal reads the same: unknown id, wrong secret, wrong model, spent, no token', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const [right, other] = [await issue('adonis', user.id), await issue('adonis', user.id)]
    const spent = await issue('adonis', user.id)
    await post(client, spent)
    const shown = [
      `${right.split('.')[0]}.${other.split('.')[1]}`,
      `oat_${encode('999')}.${right.split('.')[1]}`,
      await issue('adonis', user.id, { type: 'other' }),
      spent,
      'nonsense',
    ]
    const bodies = []
    for (const token of shown) {
      const { status, body } = await post(client, token).then((answer: any) => ({
        status: answer.status(),
        body: answer.body(),
      }))
      assert.equal(status, 400)
      bodies.push(JSON.stringify(body))
    }
    assert.lengthOf([...new Set(bodies)], 1)
  })

  const encode = (text: string) => Buffer.from(text).toString('base64url')

  test('adonis: the same token has one spelling, and no id goes into SQL as it comes', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const token = await issue('adonis', user.id)
    const [head, secret] = token.split('.')
    const id = Buffer.from(head.slice(4), 'base64url').toString()
    const spellings = [
      ...['1.0', ` ${id}`, `0${id}`, `${id}e0`, `+${id}`, `-${id}`, `${id} OR 1=1`, `${id}'--`].map(
        (other) => `oat_${encode(other)}.${secret}`
      ),
      ...['9'.repeat(18), '9'.repeat(19), '9'.repeat(400)].map(
        (other) => `oat_${encode(other)}.${secret}`
      ),
      `${head}=.${secret}`,
      `${token}=`,
      `${token} `,
      ` ${token}`,
      `${head}.${secret}.${secret}`,
      `${head}.`,
      `.${secret}`,
      head,
      secret,
    ]
    for (const spelling of spellings) {
      const refused = await post(client, spelling)
      refused.assertStatus(400)
    }
    assert.equal(await countRows('spent_legacy_tokens'), 0)
    /** A prefix of the team's own says nothing of the token. */
    const accepted = await post(client, token.replace('oat_', 'acme_api_'))
    accepted.assertStatus(200)
    const again = await post(client, token)
    again.assertStatus(400)
  })

  test('sanctum: with its id, or without one, as Sanctum takes it; not with another', async ({
    client,
  }) => {
    openFor('sanctum')
    const user = await makeUser()
    const [one, two] = [await issue('sanctum', user.id), await issue('sanctum', user.id)]
    const [id, secret] = one.split('|')
    for (const wrong of [
      `${two.split('|')[0]}|${secret}`,
      `0${id}|${secret}`,
      `${id}||${secret}`,
    ]) {
      const refused = await post(client, wrong)
      refused.assertStatus(400)
    }
    const bare = await post(client, secret)
    bare.assertStatus(200)
    const whole = await post(client, one)
    whole.assertStatus(400)
    const other = await post(client, two)
    other.assertStatus(200)
  })

  /**
   * Made with PHP 8.2 by the statements of Sanctum's `HasApiTokens` (`generateTokenString`,
   * `createToken`): `sprintf('%s%s%s', $prefix, $entropy, hash('crc32b', $entropy))`, then
   * `hash('sha256', $plain)`. The last one's checksum begins with a zero.
   */
  const PHP = [
    [
      'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCd',
      '',
      'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdcd7e2082',
      'd5c4b490c51ba1262590e1fd7709500791078412a11e4bc89e81f635d6ba7420',
    ],
    [
      'zZyYxXwWvVuUtTsSrRqQpPoOnNmMlLkKjJiIhHgG',
      'acme_',
      'acme_zZyYxXwWvVuUtTsSrRqQpPoOnNmMlLkKjJiIhHgG8061275b',
      '38c331d90f26205d50b679a0a23aa8ba7bc1394867e27b0ea9f703e53072389b',
    ],
    ['yi0', '', 'yi036876a8f', '7c194157c2778a6c7c37f53576addeae57475d55738846895947bd9ce4475808'],
  ]
  test('sanctum: tokens and hashes made by PHP are exchanged')
    .with(PHP)
    .run(async ({ client, assert }, [entropy, prefix, plain, token]) => {
      openFor('sanctum')
      assert.equal(sanctumSecret(entropy, prefix), plain)
      const user = await makeUser()
      await issue('sanctum', user.id, { token })
      const [{ id }] = await db.from(nameOf('sanctum')).select('id')
      const answer = await post(client, `${id}|${plain}`)
      answer.assertStatus(200)
    })

  test('what is kept here of a token is its hash', async ({ client, assert }) => {
    const user = await makeUser()
    const token = await issue('adonis', user.id)
    await post(client, token)
    const [, secret] = token.split('.')
    const row = await db.from('spent_legacy_tokens').firstOrFail()
    const hash = createHash('sha256').update(Buffer.from(secret, 'base64url')).digest('hex')
    assert.equal(row.hash, hash)
    assert.equal(row.user_id, user.id)
    assert.notInclude(JSON.stringify(row), secret)
  })

  test('tokenable_id means what LEGACY_TOKENS_USER says, and nothing else', async ({
    client,
    assert,
  }) => {
    const [user, bystander] = [await makeUser(), await makeUser()]
    await user.merge({ externalId: String(bystander.id) }).save()
    const exchanged = async (by: 'id' | 'external', tokenable: number) => {
      legacyTokensConfig.user = by
      const answer = await post(client, await issue('adonis', tokenable))
      return answer.status() === 200 ? answer.body().data.user.id : answer.status()
    }
    assert.equal(await exchanged('id', user.id), user.id)
    assert.equal(await exchanged('id', bystander.id), bystander.id)
    assert.equal(await exchanged('external', bystander.id), user.id)
    assert.equal(await exchanged('external', user.id), 400)
  })

  test('a disabled account is told, and the token stays', async ({ client, assert }) => {
    const user = await makeUser()
    const token = await issue('adonis', user.id)
    await db.from('users').where('id', user.id).update({ disabled_at: clock.now() })
    const answer = await post(client, token)
    assert.equal(answer.body().errors[0].code, 'E_ACCOUNT_DISABLED')
    assert.equal(await countRows('spent_legacy_tokens'), 0)
  })

  test('a sign-in that the limit refuses does not spend the token', async ({ client }) => {
    const user = await makeUser()
    await signIn(user)
    sessionsConfig.onLimit = 'reject'
    const token = await issue('adonis', user.id)
    const refused = await post(client, token)
    refused.assertStatus(409)
    sessionsConfig.onLimit = 'evict'
    const accepted = await post(client, token)
    accepted.assertStatus(200)
  })

  test('after a force logout of {$self} an older one is refused, a newer one is not')
    .with(['its user', 'everyone'] as const)
    .run(async ({ client }, who) => {
      clock.freeze()
      const user = await makeUser()
      const old = [await issue('adonis', user.id), await issue('adonis', user.id)]
      await forceLogout({ who: who === 'everyone' ? who : [user], actor: 'command:test' })
      const refused = await post(client, old[0])
      refused.assertStatus(400)
      /** In whole seconds, as MySQL rounds them: up to half a second later than it was. */
      const rounded = sql(new Date(clock.millis() + 499))
      const same = await post(client, await issue('adonis', user.id, { created_at: rounded }))
      same.assertStatus(400)
      clock.advance(120_000)
      const stillRefused = await post(client, old[1])
      stillRefused.assertStatus(400)
      const newer = await post(client, await issue('adonis', user.id))
      newer.assertStatus(200)
    })

  test('it works to the second before the date, and not on it; without one there is no such route', async ({
    client,
  }) => {
    clock.freeze()
    const user = await makeUser()
    const [one, two] = [await issue('adonis', user.id), await issue('adonis', user.id)]
    legacyTokensConfig.until = new Date(clock.millis() + 1000)
    const before = await post(client, one)
    before.assertStatus(200)
    clock.advance(1000)
    const after = await post(client, two)
    after.assertStatus(400)
    legacyTokensConfig.until = undefined
    const none = await post(client, two)
    none.assertStatus(404)
  })

  test('either jwt or token', async ({ client }) => {
    for (const body of [{}, { jwt: 'a', token: 'b' }, { token: 1 }, { token: 'x'.repeat(1025) }]) {
      const answer = await client.post('/api/v1/auth/exchange').json(body)
      answer.assertStatus(422)
    }
    const jwt = await client.post('/api/v1/auth/exchange').json({ jwt: 'a.b.c' })
    jwt.assertStatus(400)
  })
})

test.group('Dates of old tokens', (group) => {
  let old: Awaited<ReturnType<typeof openOldDatabase>>
  group.setup(async () => {
    await emptyDatabase()
    const restore = keepConfig()
    const { url, stop } = await makeSqliteFile()
    old = await openOldDatabase(url)
    openFor('sanctum', { connection: 'legacy_tokens' })
    await old.client.schema.createTable(TABLE, (table) => {
      table.increments('id')
      for (const name of ['tokenable_type', 'name', 'token', 'abilities']) table.text(name)
      table.integer('tokenable_id')
      /** No affinity: whatever is written stays what it is. */
      for (const name of ['created_at', 'updated_at', 'last_used_at', 'expires_at']) {
        table.specificType(name, 'blob')
      }
    })
    return async () => {
      await restore()
      await old.close()
      stop()
    }
  })
  group.each.setup(() => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    openFor('sanctum', { connection: 'legacy_tokens' })
    return () => clock.restore()
  })

  test('an end {0} is {1}')
    .with([
      ['2026-03-01 12:00:01', 'to come'],
      ['2026-03-01 11:59:59', 'past'],
      ['2026-03-01T12:00:01', 'to come'],
      ['2026-03-01T12:00:01Z', 'to come'],
      ['2026-03-01T12:00:00.001Z', 'to come'],
      ['2026-03-01T12:00:00.000Z', 'past'],
      ['2026-03-01 12:00:00.000001', 'past'],
      ['2026-03-01T12:00:00+00:00', 'past'],
      ['2026-03-01 13:30:00+01:00', 'to come'],
      ['2026-03-01 13:30:00+02', 'past'],
      ['2026-03-01 13:30:00 +0200', 'past'],
      ['2026-03-01 13:30:00 -0200', 'to come'],
      ['2026-03-02', 'to come'],
      ['2026-03-01', 'past'],
      [Date.parse('2026-03-01T12:00:01Z'), 'to come'],
      [Date.parse('2026-03-01T11:59:59Z'), 'past'],
      [String(Date.parse('2026-03-01T12:00:01Z')), 'to come'],
      [Date.parse('2026-03-01T12:00:01Z') / 1000, 'past'],
      [0, 'past'],
      ['', 'past'],
      [' ', 'past'],
      ['null', 'past'],
      ['never', 'past'],
      ['infinity', 'past'],
      ['12:00:01', 'past'],
      ['2027', 'past'],
      ['2027-01', 'past'],
      ['2027-W01', 'past'],
      ['20270101', 'past'],
      ['01/01/2027', 'past'],
      ['2027/01/01 00:00:00', 'past'],
      ['2027-13-01 00:00:00', 'past'],
      ['2027-02-30 00:00:00', 'past'],
      ['0000-00-00 00:00:00', 'past'],
      ['Fri, 01 Jan 2027 00:00:00 GMT', 'past'],
      ['Fri Jan 01 2027 00:00:00 GMT+0000', 'past'],
      ['2027-01-01 00:00:00 Europe/Berlin', 'past'],
      ['9'.repeat(16), 'past'],
      [9e15, 'past'],
      [-1, 'past'],
    ] as [string | number, 'past' | 'to come'][])
    .run(async ({ client }, [expires, when]) => {
      const user = await makeUser()
      const row = { created_at: '2026-02-28 12:00:00', expires_at: expires }
      const token = await issueOldToken(old.client, 'sanctum', TABLE, user.id, row)
      const answer = await post(client, token)
      answer.assertStatus(when === 'past' ? 400 : 200)
    })

  test('a birth of {$self} is no age')
    .with(['', 'yesterday', '12:00:00', '2026', '0000-00-00 00:00:00', 0, '2026-02-30 12:00:00'])
    .run(async ({ client }, created) => {
      const user = await makeUser()
      const row = { created_at: created }
      const token = await issueOldToken(old.client, 'sanctum', TABLE, user.id, row)
      const answer = await post(client, token)
      answer.assertStatus(400)
    })

  test('dates without a zone are those of ?timezone=', async ({ client }) => {
    const user = await makeUser()
    const row = { created_at: '2026-03-01 12:30:00' }
    const token = await issueOldToken(old.client, 'sanctum', TABLE, user.id, row)
    const future = await post(client, token)
    future.assertStatus(400)
    legacyTokensConfig.timeZone = 'Europe/Berlin'
    const past = await post(client, token)
    past.assertStatus(200)
  })
})

test.group('An old database that can not be reached', (group) => {
  let old: Awaited<ReturnType<typeof openOldDatabase>>
  let place: Awaited<ReturnType<typeof makeSqliteFile>>
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepConfig()
    place = await makeSqliteFile()
    old = await openOldDatabase(place.url)
    openFor('adonis', { connection: 'legacy_tokens' })
    await makeTokensTable(old.client, 'adonis', TABLE)
    return async () => {
      await restore()
      await old.close()
      place.stop()
    }
  })

  test('is no verdict on a token: 503, nothing spent, nothing made', async ({ client, assert }) => {
    const user = await makeUser()
    const token = await issueOldToken(old.client, 'adonis', TABLE, user.id)
    await old.close()
    renameSync(place.file, `${place.file}.away`)
    old = await openOldDatabase(place.url)
    const refused = await post(client, token)
    refused.assertStatus(503)
    assert.equal(refused.body().errors[0].code, 'E_UNAVAILABLE')
    assert.match(refused.header('retry-after')!, /^[1-9]\d*$/)
    assert.isFalse(existsSync(place.file))
    assert.equal(await countRows('spent_legacy_tokens'), 0)
    /** What is no token of this kind is not asked for. */
    const nonsense = await post(client, 'nonsense')
    nonsense.assertStatus(400)

    renameSync(`${place.file}.away`, place.file)
    await old.close()
    old = await openOldDatabase(place.url)
    const accepted = await post(client, token)
    accepted.assertStatus(200)
  })

  test('nor is one whose server refuses: {$self}')
    .with(['postgres://old:secret@127.0.0.1:9/old', 'mysql://old:secret@127.0.0.1:9/old'])
    .run(async ({ client }, url) => {
      await old.close()
      old = await openOldDatabase(url)
      const refused = await post(client, `oat_${Buffer.from('1').toString('base64url')}.c2VjcmV0`)
      refused.assertStatus(503)
    })

  test('nor is one without the table, or with another one', async ({ client }) => {
    const user = await makeUser()
    const token = await issueOldToken(old.client, 'adonis', TABLE, user.id)
    legacyTokensConfig.table = 'nowhere'
    const missing = await post(client, token)
    missing.assertStatus(503)
    legacyTokensConfig.table = TABLE
    await old.client.schema.table(TABLE, (table) => table.dropColumn('expires_at'))
    const other = await post(client, token)
    other.assertStatus(503)
  })

  test('a deletion that fails is made up for, and the token works once all the same', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const token = await issueOldToken(old.client, 'adonis', TABLE, user.id)
    await old.client.rawQuery(
      `CREATE TRIGGER stay BEFORE DELETE ON ${TABLE} BEGIN SELECT RAISE(ABORT, 'no'); END`
    )
    const answer = await post(client, token)
    answer.assertStatus(200)
    await deletions.settled()
    const left = () => old.client.from(TABLE).select('id')
    assert.lengthOf(await left(), 1)
    assert.equal(await countRows('spent_legacy_tokens', { deleted_at: null }), 1)
    const again = await post(client, token)
    again.assertStatus(400)
    await assert.rejects(() => deleteSpentTokens())

    await old.client.rawQuery('DROP TRIGGER stay')
    assert.equal(await deleteSpentTokens(), 1)
    assert.lengthOf(await left(), 0)
    assert.equal(await countRows('spent_legacy_tokens', { deleted_at: null }), 0)
    assert.equal(await deleteSpentTokens(), 0)
  })
})
