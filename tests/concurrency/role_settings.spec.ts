import db from '@adonisjs/lucid/services/db'
import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { pgBouncerIsMissing, startPgBouncer } from '#tests/harness/pgbouncer'
import { startServers, stopSharedServers } from '#tests/harness/server'

/**
 * What a role may have set for itself, and each would break a statement that relies on the default.
 */
const STRICT = {
  default_transaction_isolation: 'serializable',
  datestyle: 'SQL, DMY',
  timezone: 'Asia/Kolkata',
  intervalstyle: 'sql_standard',
  bytea_output: 'escape',
  standard_conforming_strings: 'off',
}

/**
 * Limits. Behind a pooler of transactions they are pinned in transactions alone.
 */
const HASTY = {
  statement_timeout: '2s',
  lock_timeout: '1ms',
  idle_in_transaction_session_timeout: '1ms',
}

for (const [isolation, pooler, settings] of [
  ['repeatable read', 'none', HASTY],
  ['serializable', 'none', HASTY],
  ['repeatable read', 'transaction', {}],
  ['serializable', 'transaction', {}],
] as const) {
  test.group(`A role that is ${isolation} by default, DATABASE_POOLER=${pooler}`, (group) => {
    const isPostgres = process.env.DB_CONNECTION === 'postgres'
    const lacks = pooler === 'none' ? false : pgBouncerIsMissing()
    const missing = isPostgres ? lacks : 'is about PostgreSQL'
    group.tap((one) => one.skip(missing !== false, String(missing)))
    group.each.setup(() => emptyDatabase())

    test('whatever it has set, sessions open, are checked, listed and end', async ({
      assert,
      cleanup,
    }) => {
      await stopSharedServers()
      const all = { ...STRICT, ...settings, default_transaction_isolation: isolation }
      for (const [name, value] of Object.entries(all)) {
        await db.rawQuery(`ALTER ROLE CURRENT_USER SET ${name} = '${value}'`)
      }
      cleanup(() => db.rawQuery('ALTER ROLE CURRENT_USER RESET ALL').exec())
      const env: Record<string, string> = { DATABASE_POOLER: pooler }
      if (pooler === 'transaction') {
        const bouncer = await startPgBouncer(process.env.DATABASE_URL!, 'transaction', 4)
        cleanup(() => bouncer.stop())
        Object.assign(env, {
          DATABASE_URL: bouncer.url,
          DATABASE_DIRECT_URL: process.env.DATABASE_URL,
        })
      }
      const limits = { RATE_LIMIT_SIGN_IN: '1000/1m', RATE_LIMIT_REFRESH: '1000/1m' }
      const nodes = await startServers(2, { env: { ...env, ...limits } })
      cleanup(async () => {
        await Promise.all(nodes.map((node) => node.stop()))
      })

      const user = await makeUser()
      const admin = await makeUser({ role: 'admin' })
      const logins = await Promise.all(
        [0, 1, 0, 1, 0, 1].map((node) => logIn(nodes[node].url, user.email))
      )
      assert.deepEqual([...new Set(logins.map(({ status }) => status))], [200])
      assert.equal(await countRows('sessions', { ended_at: null }), 1)
      const bodies = logins.map(({ body }) => body.data)

      const checks = await Promise.all(
        bodies.map(({ token }, index) =>
          call(nodes[index % 2].url, 'GET', '/api/v1/account', { token })
        )
      )
      const living = checks.findIndex(({ status }) => status === 200)
      assert.lengthOf(
        checks.filter(({ status }) => status === 401),
        bodies.length - 1
      )
      const refreshes = await Promise.all(
        [0, 1, 0, 1].map((node) =>
          call(nodes[node].url, 'POST', '/api/v1/auth/refresh', {
            body: { refreshToken: bodies[living].refreshToken },
          })
        )
      )
      assert.deepEqual([...new Set(refreshes.map(({ status }) => status))], [200])
      const { token } = refreshes[0].body.data

      const list = await call(nodes[1].url, 'GET', '/api/v1/sessions', { token })
      assert.equal(list.status, 200)
      const age = Date.now() - Date.parse(list.body.data[0].createdAt)
      assert.isBelow(Math.abs(age), 60_000)

      const { body } = await logIn(nodes[0].url, admin.email)
      const pages = [`/api/v1/admin/users/${user.id}/sessions`, '/api/v1/account/events']
      for (const page of pages) {
        const { status } = await call(nodes[1].url, 'GET', page, { token: body.data.token })
        assert.equal(status, 200, page)
      }
      const out = await call(nodes[1].url, 'POST', '/api/v1/auth/logout', { token })
      assert.equal(out.status, 204)
      const after = await call(nodes[0].url, 'GET', '/api/v1/account', { token })
      assert.equal(after.status, 401)
    }).timeout(120_000)
  })
}
