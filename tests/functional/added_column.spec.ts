import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { programOf } from '#tests/harness/compiled'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { startServer } from '#tests/harness/server'

const COLUMNS = ['nickname', 'visited_at', 'preferences']

/**
 * Starts a server whose `User` has these columns as well.
 */
function startServerWithColumns() {
  const { cwd, args } = programOf('bin/server')
  const compiled = args.length === 1
  const file = join(cwd, `tests/harness/added_columns.${compiled ? 'js' : 'ts'}`)
  const imports = [...args.slice(0, -1), `--import=${pathToFileURL(file)}`]
  return startServer({ env: { NODE_OPTIONS: imports.join(' ') } })
}

test.group('A column that is added to the model', (group) => {
  group.each.setup(() => emptyDatabase())

  group.each.setup(async () => {
    const isPostgres = db.connection().dialect.name === 'postgres'
    await db.connection().schema.alterTable('users', (table) => {
      table.string('nickname')
      table.timestamp('visited_at')
      if (isPostgres) table.jsonb('preferences')
      else table.text('preferences')
    })
    return async () => {
      for (const column of COLUMNS) await db.rawQuery(`ALTER TABLE users DROP COLUMN ${column}`)
    }
  })

  test('is in auth.user as Lucid reads it', async ({ assert, cleanup }) => {
    const user = await makeUser()
    const isPostgres = db.connection().dialect.name === 'postgres'
    await db
      .from('users')
      .where('id', user.id)
      .update({
        nickname: 'Countess',
        visited_at: isPostgres ? '2026-03-01T12:00:00Z' : '2026-03-01 12:00:00',
        preferences: JSON.stringify({ theme: 'dark' }),
      })
    const { tokens } = await signIn(user)
    const server = await startServerWithColumns()
    cleanup(() => server.stop())

    const answer = await fetch(`${server.url}/api/v1/account`, {
      headers: { authorization: `Bearer ${tokens.token}` },
    })
    assert.equal(answer.status, 200, server.output())
    const { data } = (await answer.json()) as { data: { user: unknown } }
    assert.deepEqual(data.user, {
      nickname: 'Countess',
      visitedAt: '2026-03-01T12:00:00.000Z',
      preferences: { theme: 'light' },
      asLucidReads: true,
      clean: true,
      dirty: ['preferences'],
    })
  }).timeout(60_000)
})
