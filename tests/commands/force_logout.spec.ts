import type { Assert } from '@japa/assert'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import sessionsConfig from '#config/sessions'
import { runAce, startAceOnTerminal } from '#tests/harness/ace'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { jsonOfCommand, runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'

const HOSTILE = 'Ph\u001b[31mone\u0007 \u202egnp.exe\u009b2J'

test.group('force:logout', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.timeout(120_000)
  group.each.setup(() => {
    const { limit } = sessionsConfig
    sessionsConfig.limit = 0
    return () => {
      sessionsConfig.limit = limit
    }
  })

  const liveSessions = async () => {
    const rows = await db.from('sessions').whereNull('ended_at')
    return rows.length
  }

  test('ends the sessions of a user, with the reason in the log', async ({ assert }) => {
    const ada = await makeUser({ email: 'ada@example.com' })
    const bob = await makeUser()
    await signIn(ada, { name: 'Phone' })
    await signIn(ada, { name: 'Tablet' })
    await signIn(bob)

    const { exitCode, stdout, stderr } = await runAce([
      'force:logout',
      'Ada@example.com',
      '--reason=lost phone',
    ])
    assert.equal(exitCode, 0, stderr)
    assert.include(stdout, 'Ended 2 sessions.')
    assert.include(stdout, 'Tablet')
    assert.equal(await liveSessions(), 1)
    const act = await db.from('session_events').where('type', 'force_logout').firstOrFail()
    assert.equal(act.actor, 'command:force:logout')
    assert.containsSubset(JSON.parse(act.data), { note: 'lost phone', matched: 2 })
  })

  test('nothing to do is done', async ({ assert }) => {
    const ada = await makeUser()
    const said = await jsonOfCommand(['force:logout', String(ada.id)])
    assert.containsSubset(said, { ended: 0, complete: true, sessions: [] })
  })

  test('an unknown user among known ones is 2 and changes nothing', async ({ assert }) => {
    const ada = await makeUser()
    await signIn(ada)
    const run = await runAce(['force:logout', ada.email, 'nobody@example.com', '--json'])
    assert.equal(run.exitCode, 2)
    assert.equal(JSON.parse(run.stdout).error.code, 'E_UNKNOWN_USER')
    assert.include(run.stderr, 'nobody@example.com')
    assert.equal(await liveSessions(), 1)
  })

  for (const args of [['--all'], ['--all', '--yes', '--plattform=ios', '--json']]) {
    test(`wrong usage is 2 and changes nothing: ${args.join(' ')}`, async ({ assert }) => {
      await signIn(await makeUser())
      await assertRefused(assert, args, runAce)
    })
  }

  for (const args of [
    [],
    ['--all', '--json'],
    ['--all', '--yes', '--platform='],
    ['a@example.com', '--all', '--yes'],
    ['--all', '--yes', '--idle-for=soon'],
    ['--all', '--yes', '--before=yesterday'],
    ['--all', '--yes', '--session=1'],
    ['--all', '--yes', '--platform=ios', '--include-api-keys'],
    ['--all', '--yes', `--reason=${'x'.repeat(501)}`],
  ]) {
    test(`what can not be is 2: ${args.join(' ').slice(0, 60)}`, async ({ assert }) => {
      await signIn(await makeUser())
      await assertRefused(assert, args, runCommand)
    })
  }

  async function assertRefused(
    assert: Assert,
    args: string[],
    run: typeof runAce | typeof runCommand
  ) {
    const { exitCode, stdout, stderr } = await run(['force:logout', ...args])
    assert.equal(exitCode, 2)
    assert.match(stderr, /^Error: /)
    if (args.includes('--json')) assert.property(JSON.parse(stdout), 'error')
    else assert.equal(stdout, '')
    assert.equal(await liveSessions(), 1)
  }

  test('a database out of reach is 1, with JSON alone on standard output', async ({ assert }) => {
    const nowhere = {
      SQLITE_FILE: '/nonexistent/x.sqlite3',
      DATABASE_URL: 'postgres://latchkey@127.0.0.1:1/none',
    }
    const run = await runAce(['force:logout', '7', '--json'], { env: nowhere })
    assert.equal(run.exitCode, 1)
    assert.property(JSON.parse(run.stdout), 'error')
    assert.match(run.stderr, /^Error: /m)
  })

  test('a dry run names what the real run ends, under every filter', async ({ assert }) => {
    const ada = await makeUser()
    await signIn(ada, { platform: 'ios', id: 'phone-1', name: 'Phone' })
    await signIn(ada, { platform: 'ios', name: 'Phone' })
    await signIn(ada, { platform: 'web' })
    await signIn(await makeUser(), { platform: 'ios' })
    const filters = [ada.email, '--platform=ios', '--device=Phone']

    const dry = await jsonOfCommand(['force:logout', ...filters, '--dry-run'])
    assert.equal(await liveSessions(), 4)
    const listed = await jsonOfCommand(['sessions:list', ...filters])
    const real = await jsonOfCommand(['force:logout', ...filters])
    const idsOf = (said: { sessions: { id: string }[] }) => said.sessions.map(({ id }) => id)
    assert.lengthOf(idsOf(real), 2)
    assert.deepEqual(idsOf(dry), idsOf(real))
    assert.sameMembers(idsOf(listed), idsOf(real))
    assert.isTrue(dry.dryRun)
    const ended = await db.from('sessions').whereNotNull('ended_at').orderBy('seq').select('id')
    assert.deepEqual(
      ended.map((row) => row.id),
      idsOf(real)
    )
  })

  test('says that API keys live on, and how to end them', async ({ assert }) => {
    const user = await makeUser()
    await signIn(user)
    await makeApiKey(user, ['*'])
    const said = await runAce(['force:logout', user.email])
    assert.equal(said.exitCode, 0)
    assert.include(said.stdout, '1 API key lives on. To end it, add --include-api-keys.')
    const dry = await runAce(['force:logout', '--all', '--dry-run', '--json'])
    assert.equal(JSON.parse(dry.stdout).apiKeysLeft, 1)
    const ended = await runAce(['force:logout', user.email, '--include-api-keys'])
    assert.notInclude(ended.stdout, 'live')
  })

  test('--all --yes --include-api-keys ends everything, once', async ({ assert }) => {
    await signIn(await makeUser())
    await signIn(await makeUser())
    const said = await jsonOfCommand(['force:logout', '--all', '--yes', '--include-api-keys'])
    assert.containsSubset(said, { ended: 2, complete: true })
    assert.isString(said.cutAt)
    assert.equal(await liveSessions(), 0)
    assert.equal(await countRows('api_tokens'), 0)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 2)
  })

  test('on a terminal --all asks, and no is 1 and changes nothing', async ({ assert }) => {
    await signIn(await makeUser())
    const refused = await startAceOnTerminal(['force:logout', '--all'], {
      answers: [['of everyone?', 'n']],
    }).finished
    assert.equal(refused.exitCode, 1, refused.stdout)
    assert.include(refused.stdout, 'Nothing was changed.')
    assert.equal(await liveSessions(), 1)

    const agreed = await startAceOnTerminal(['force:logout', '--all'], {
      answers: [['of everyone?', 'y']],
    }).finished
    assert.equal(agreed.exitCode, 0, agreed.stdout)
    assert.equal(await liveSessions(), 0)
  })

  test('on a terminal an unknown user and wrong usage are 2 and change nothing', async ({
    assert,
  }) => {
    const before = await snapshot()
    for (const args of [['nobody@example.com'], ['--all', '--idle-for=soon']]) {
      const { exitCode } = await startAceOnTerminal(['force:logout', ...args]).finished
      assert.equal(exitCode, 2, args.join(' '))
    }
    assert.equal(await snapshot(), before)
  })

  test('names reach neither a terminal nor JSON raw', async ({ assert }) => {
    const ada = await makeUser()
    await signIn(ada, { name: HOSTILE })
    const raw = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u
    const runs = [
      await runAce(['sessions:list']),
      await runAce(['force:logout', '1', `--${HOSTILE}`]),
      ...(await inTurn([
        ['sessions:list', '--json'],
        ['force:logout', ada.email, '--dry-run', `--reason=${HOSTILE}`],
        ['force:logout', `x${HOSTILE}@example.com`],
        ['force:logout', '1', `--session=${HOSTILE}`],
        ['force:logout', '1', `--${HOSTILE}`],
        ['force:logout', ada.email, `--reason=${HOSTILE}`, '--json'],
        ['events:tail', '--no-follow'],
        ['events:tail', '--no-follow', '--json'],
      ])),
    ]
    for (const [index, run] of runs.entries()) {
      assert.notMatch(run.stdout + run.stderr, raw, `run ${index}`)
    }
    const listed = JSON.parse(runs[2].stdout).sessions[0]
    assert.equal(listed.device.name, HOSTILE, 'JSON says the same when parsed')
  })

  test('the table fits the terminal', async ({ assert }) => {
    const ada = await makeUser({ email: `${'very-long-'.repeat(6)}@example.com` })
    await signIn(ada, { name: '携帯電話'.repeat(10), platform: 'ios' })
    const { stdout } = await startAceOnTerminal(['sessions:list'], { columns: 110 }).finished
    const lines = stdout.split(/\r?\n/).filter((line) => line.includes('│') || line.length > 20)
    assert.isAbove(lines.length, 1)
    for (const line of lines) {
      const wide = [...line].filter((character) => character > '\u2fff').length
      assert.isAtMost([...line].length + wide, 110)
    }
  })

  test('help shows examples and exit codes', async ({ assert }) => {
    const { exitCode, stdout } = await runAce(['force:logout', '--help'])
    assert.equal(exitCode, 0)
    assert.include(stdout, 'force:logout ada@example.com --reason="lost phone"')
    assert.include(stdout, 'Exit codes')
  })
})

async function inTurn(commands: string[][]) {
  const outcomes = []
  for (const command of commands) outcomes.push(await runCommand(command))
  return outcomes
}
