import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import db from '@adonisjs/lucid/services/db'
import { test } from '@japa/runner'
import bcrypt from 'bcrypt'
import { changeEmail } from '#app/accounts/email_verification'
import User from '#models/user'
import { makeUser } from '#tests/harness/accounts'
import { jsonOfCommand, runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'

const HASH = `$2b$10$${'.'.repeat(53)}`

function ndjson(...rows: unknown[]): string {
  return rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('')
}

function importing(input: string, ...args: string[]) {
  return jsonOfCommand(['user:import', '-', ...args], { input })
}

test.group('user:import', (group) => {
  group.each.setup(() => emptyDatabase())

  test('makes accounts with all that a line says', async ({ assert }) => {
    const report = await importing(
      ndjson(
        {
          email: ' Ada@Example.COM ',
          externalId: 'u-1',
          fullName: 'Ada Lovelace',
          passwordHash: HASH,
          emailVerified: true,
          disabled: true,
          createdAt: '2019-05-04T12:30:00+02:00',
          sessionLimit: 3,
        },
        { externalId: 42 },
        '',
        { email: 'bob@example.com', fullName: null, emailVerified: false }
      )
    )
    assert.deepEqual(report, { read: 3, created: 3, unchanged: 0, refused: 0, lines: [] })
    const [ada, nameless, bob] = await User.query().orderBy('id')
    assert.equal(ada.email, 'ada@example.com')
    assert.equal(ada.emailKey, 'ada@example.com')
    assert.equal(ada.externalId, 'u-1')
    assert.equal(ada.fullName, 'Ada Lovelace')
    assert.equal(ada.password, HASH)
    assert.isTrue(ada.isEmailVerified)
    assert.isTrue(ada.isDisabled)
    assert.equal(ada.createdAt.toISO(), '2019-05-04T10:30:00.000Z')
    assert.equal(ada.sessionLimit, 3)
    assert.equal(ada.role, 'user')
    assert.isNotNull(ada.importedAt)
    assert.deepEqual([nameless.email, nameless.externalId], [null, '42'])
    assert.isNull(nameless.password)
    assert.deepEqual([bob.isEmailVerified, bob.isDisabled, bob.sessionLimit], [false, false, null])
    const events = await db.from('session_events').where('type', 'user.created')
    assert.lengthOf(events, 3)
    assert.equal(events[0].actor, 'command:user:import')
  })

  test('the line that docs/moving_over.md shows is one', async ({ assert }) => {
    const page = readFileSync(new URL('../../docs/moving_over.md', import.meta.url), 'utf8')
    const [, line] = /```text\n(\{"email".+)\n```/.exec(page)!
    const report = await importing(line.replace('$2y$10$…', HASH))
    assert.deepInclude(report, { created: 1, refused: 0 })
  })

  test('CSV says the same', async ({ assert }) => {
    const csv =
      '\ufeffemail,externalId,fullName,passwordHash,emailVerified,disabled,createdAt,sessionLimit\r\n' +
      `ada@example.com,u-1,"Lovelace, ""Ada""",${HASH},true,false,2019-05-04,0\r\n` +
      '\r\n' +
      'bob@example.com,,,,,,,\r\n' +
      ',u-3,,,,true,,'
    const report = await importing(csv, '--format=csv')
    assert.deepEqual(report, { read: 3, created: 3, unchanged: 0, refused: 0, lines: [] })
    const [ada, bob, third] = await User.query().orderBy('id')
    assert.equal(ada.fullName, 'Lovelace, "Ada"')
    assert.deepEqual([ada.sessionLimit, ada.isEmailVerified, ada.isDisabled], [0, true, false])
    assert.deepEqual([bob.email, bob.externalId, bob.password], ['bob@example.com', null, null])
    assert.deepEqual([third.externalId, third.isDisabled], ['u-3', true])
  })

  test('a file a second time changes nothing', async ({ assert }) => {
    const file = ndjson(
      { email: 'ada@example.com', externalId: 'u-1' },
      { email: 'bob@example.com', passwordHash: HASH },
      { externalId: 'u-3' }
    )
    await importing(file)
    const before = await snapshot()
    const again = await importing(file)
    assert.deepEqual(again, { read: 3, created: 0, unchanged: 3, refused: 0, lines: [] })
    assert.equal(await snapshot(), before)
  })

  test('an account that is there is left as it is', async ({ assert }) => {
    await makeUser({ email: 'ada@example.com', fullName: 'Ada' })
    const before = await snapshot()
    const report = await importing(
      ndjson(
        { email: 'ADA@example.com', fullName: 'Mallory', passwordHash: HASH, disabled: true },
        { email: 'ada@example.com', externalId: 'u-1', passwordHash: HASH }
      )
    )
    assert.equal(report.unchanged, 1)
    assert.equal(report.refused, 1)
    assert.match(report.lines[0].reason, /^email is that of user \d+/)
    assert.equal(await snapshot(), before)
  })

  test('of two lines of one account the first counts', async ({ assert }) => {
    const report = await importing(
      ndjson(
        { email: 'ada@example.com', fullName: 'First' },
        { email: 'ADA@EXAMPLE.COM', fullName: 'Second' },
        { externalId: 'u-1', email: 'bob@example.com' },
        { externalId: 'u-1', email: 'bob@elsewhere.example' },
        { externalId: 'u-2', email: 'bob@example.com' }
      )
    )
    assert.deepEqual(
      { ...report, lines: report.lines.map(({ line }: { line: number }) => line) },
      { read: 5, created: 2, unchanged: 2, refused: 1, lines: [5] }
    )
    const ada = await User.findByOrFail('email', 'ada@example.com')
    assert.equal(ada.fullName, 'First')
  })

  test('refused lines are told by number and reason, and nothing of them is quoted', async ({
    assert,
  }) => {
    const wrong: [unknown, string][] = [
      ['{"email":', 'is not JSON'],
      ['["ada@example.com"]', 'is not a JSON object'],
      ['null', 'is not a JSON object'],
      [{}, 'has neither email nor externalId'],
      [{ email: 'ada@example.com', surname: 'x' }, 'has a field that is none of email, externalId'],
      ['{"email":"a@example.com","__proto__":{}}', 'has a field that is none of'],
      [{ email: 'secret-address' }, 'email is not an e-mail address'],
      [{ email: 'a\u0000@example.com' }, 'email is not text'],
      [{ email: 7 }, 'email is not text'],
      [{ externalId: 'ä' }, 'externalId is not 1 to 255 printable ASCII characters'],
      [{ externalId: 'x'.repeat(256) }, 'externalId is not 1 to 255'],
      [{ externalId: 1.5 }, 'externalId is not text'],
      [{ externalId: 'a', fullName: 'x'.repeat(256) }, 'fullName is longer than 255 characters'],
      [{ externalId: 'a', fullName: '\ud800' }, 'fullName is not text'],
      [{ externalId: 'a', passwordHash: 'secret-password' }, 'passwordHash is not a hash in one'],
      [{ externalId: 'a', passwordHash: HASH.replace('$10$', '$15$') }, 'passwordHash would take'],
      [{ externalId: 'a', emailVerified: 1 }, 'emailVerified is neither true nor false'],
      [{ externalId: 'a', disabled: 'yes' }, 'disabled is neither true nor false'],
      [{ externalId: 'a', createdAt: '31.12.2019' }, 'createdAt is not an instant'],
      [{ externalId: 'a', createdAt: '2019-02-31T12:00:00' }, 'createdAt is not an instant'],
      [{ externalId: 'a', createdAt: '2999-01-01' }, 'createdAt is in the future'],
      [{ externalId: 'a', sessionLimit: -1 }, 'sessionLimit is not a whole number'],
      [{ externalId: 'a', sessionLimit: 1.5 }, 'sessionLimit is not a whole number'],
      [{ externalId: 'a', fullName: 'x'.repeat(65_536) }, 'is longer than 64 KiB'],
    ]
    const rows = wrong.flatMap(([row], index) => [{ externalId: `good-${index}` }, row])
    const report = await importing(ndjson(...rows))
    assert.equal(report.created, wrong.length)
    assert.equal(report.refused, wrong.length)
    for (const [index, { line, reason }] of report.lines.entries()) {
      assert.equal(line, 2 * index + 2)
      assert.include(reason, wrong[index][1])
      assert.notInclude(reason, 'secret')
    }
    assert.equal(await countRows('users'), wrong.length)
  })

  test('a broken line of CSV refuses itself alone', async ({ assert }) => {
    const csv = [
      'email,fullName',
      'a@example.com,A',
      '"b@example.com,B',
      'c@example.com,C,too many',
      'd@example.com,D"D',
      `e@example.com,${'x'.repeat(70_000)}`,
      'f@example.com,"F"',
    ].join('\n')
    const { created, lines } = await importing(csv, '--format=csv')
    assert.equal(created, 2)
    assert.deepEqual(
      lines.map(({ line }: { line: number }) => line),
      [3, 4, 5, 6]
    )
  })

  test('bytes that are not UTF-8 refuse their line', async ({ assert }) => {
    const directory = await mkdtemp(join(tmpdir(), 'latchkey-import-'))
    const file = join(directory, 'users.ndjson')
    await writeFile(
      file,
      Buffer.concat([
        Buffer.from('{"externalId":"a","fullName":"'),
        Buffer.from([0xff]),
        Buffer.from('"}\n{"externalId":"b"}'),
      ])
    )
    const report = await jsonOfCommand(['user:import', file]).finally(() =>
      rm(directory, { recursive: true })
    )
    assert.equal(report.created, 1)
    assert.deepEqual(report.lines, [{ line: 1, reason: 'is not UTF-8' }])
  })

  test('a dry run changes nothing and says what would be done', async ({ assert }) => {
    await makeUser({ email: 'ada@example.com' })
    const before = await snapshot()
    const file = ndjson({ email: 'ada@example.com' }, { externalId: 'u-2' }, {})
    const report = await importing(file, '--dry-run')
    assert.deepInclude(report, { read: 3, created: 1, unchanged: 1, refused: 1 })
    assert.equal(await snapshot(), before)
    const told = await runCommand(['user:import', '-', '--dry-run'], { input: file })
    assert.include(told.stdout, 'would create 1 users, 1 were there already, 1 lines were refused')
    assert.include(told.stderr, 'Line 3 was refused: has neither email nor externalId')
  })

  test('{0} is wrong usage')
    .with([
      ['a format that is none', ['-', '--format=xml'], ''],
      ['a file that is not there', ['no-such-file.ndjson'], ''],
      ['a column that is none', ['-', '--format=csv'], 'email,surname\na@example.com,A\n'],
      ['a column that is there twice', ['-', '--format=csv'], 'email,email\na@example.com,A\n'],
    ] as const)
    .run(async ({ assert }, [, args, input]) => {
      const { exitCode, stderr } = await runCommand(['user:import', ...args], { input })
      assert.equal(exitCode, 2)
      assert.match(stderr, /^Error: [^\n]+\n$/)
      assert.equal(await countRows('users'), 0)
    })

  test('whoever left an address is not brought back to it by a second run', async ({ assert }) => {
    const file = ndjson({ email: 'ada@example.com' }, { email: 'bob@example.com', externalId: '2' })
    await importing(file)
    for (const name of ['ada', 'bob']) {
      const user = await User.findByOrFail('email', `${name}@example.com`)
      await changeEmail(user.id, `${name}@elsewhere.example`, { actor: 'command:test' })
    }
    const again = await importing(file)
    assert.deepInclude(again, { created: 0, unchanged: 1, refused: 1 })
    assert.equal(await countRows('users'), 2)
  })

  test('the hash signs its user in, and is ours from then on', async ({ client, assert }) => {
    const password = 'the password of the old system'
    const passwordHash = await bcrypt.hash(password, 4)
    await importing(ndjson({ email: 'ada@example.com', passwordHash }))
    const wrong = await client
      .post('/api/v1/auth/login')
      .json({ email: 'ada@example.com', password: 'another password' })
    wrong.assertStatus(400)
    const before = await User.findByOrFail('email', 'ada@example.com')
    assert.equal(before.password, passwordHash)

    const answer = await client
      .post('/api/v1/auth/login')
      .json({ email: 'ada@example.com', password })
    answer.assertStatus(200)
    const after = await User.findByOrFail('email', 'ada@example.com')
    assert.match(after.password!, /^\$argon2id\$/)
    const again = await client
      .post('/api/v1/auth/login')
      .json({ email: 'ada@example.com', password })
    again.assertStatus(200)
  })
})
