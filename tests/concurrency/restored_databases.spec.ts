import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { runAce } from '#tests/harness/ace'
import { PASSWORD } from '#tests/harness/accounts'
import {
  LACKS_DEBIAN_POSTGRES,
  runPostgresTool,
  startDebianPostgres,
} from '#tests/harness/debian_postgres'
import { call, logIn } from '#tests/harness/http'
import { startServer, type TestServer } from '#tests/harness/server'
import { basicHeader } from '#tests/harness/service_clients'

/**
 * A service that keeps what it was told of tokens, and follows the feed as docs/following.md says.
 */
class FollowingService {
  readonly #kept = new Map<string, { sid: string; sub: string }>()
  cursor = 'now'
  gone = 0

  constructor(
    readonly url: () => string,
    readonly authorization: string
  ) {}

  /** Asks the feed once. */
  async follow(wait = 0): Promise<void> {
    const query = `?after=${this.cursor}&wait=${wait}`
    const headers = { authorization: this.authorization }
    const { status, body } = await call(this.url(), 'GET', `/api/v1/revocations${query}`, {
      headers,
    })
    if (status === 410) {
      this.gone++
      this.cursor = 'now'
      await this.follow()
      return this.#kept.clear()
    }
    if (status !== 200) throw new Error(`The feed answered ${status}`)
    for (const { type, sessionId, userId } of body.data.revocations) {
      for (const [token, { sid, sub }] of this.#kept) {
        const means = type === 'watermark' ? userId === null : sid === sessionId
        if (means || (sessionId === undefined && sub === String(userId))) this.#kept.delete(token)
      }
    }
    this.cursor = body.data.cursor
  }

  async accepts(token: string): Promise<boolean> {
    if (this.#kept.has(token)) return true
    const response = await fetch(`${this.url()}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: this.authorization },
      body: new URLSearchParams({ token }),
    })
    const { active, sid, sub } = (await response.json()) as any
    if (active) this.#kept.set(token, { sid, sub })
    return active
  }
}

type Env = Record<string, string>

/**
 * A database that is backed up and put back. `serve` starts a server on it, and stops the one before, as
 * the restore wants.
 */
type Restore = {
  env: Env
  backUp(): Promise<void>
  /** Returns the environment of the database as it is then. */
  putBack(stopServer: () => Promise<void>): Promise<Env>
}

type Cleanup = (work: () => any) => void

const WAYS: { way: string; lacks: string | false; prepare(cleanup: Cleanup): Promise<Restore> }[] =
  [
    {
      way: 'pg_dump and pg_restore into a new cluster',
      lacks: LACKS_DEBIAN_POSTGRES,
      async prepare(cleanup) {
        const dump = dumpFile(cleanup)
        const [first, second] = await Promise.all([startDebianPostgres(), startDebianPostgres()])
        cleanup(() => Promise.all([first.stop(), second.stop()]))
        return {
          env: { DB_CONNECTION: 'postgres', DATABASE_URL: first.url },
          backUp: async () => void (await runPostgresTool('pg_dump', '-Fc', '-f', dump, first.url)),
          async putBack(stopServer) {
            await stopServer()
            await runPostgresTool('pg_restore', '-d', second.url, dump)
            return { DB_CONNECTION: 'postgres', DATABASE_URL: second.url }
          },
        }
      },
    },
    {
      way: 'pg_restore --clean into the same database, under a running server',
      lacks: LACKS_DEBIAN_POSTGRES,
      async prepare(cleanup) {
        const dump = dumpFile(cleanup)
        const { url, stop } = await startDebianPostgres()
        cleanup(stop)
        const env = { DB_CONNECTION: 'postgres', DATABASE_URL: url }
        return {
          env,
          backUp: async () => void (await runPostgresTool('pg_dump', '-Fc', '-f', dump, url)),
          async putBack() {
            await runPostgresTool('pg_restore', '--clean', '--single-transaction', '-d', url, dump)
            return env
          },
        }
      },
    },
    {
      way: 'the file of the embedded database',
      lacks: false,
      async prepare(cleanup) {
        const directory = mkdtempSync(join(tmpdir(), 'latchkey-restore-'))
        cleanup(() => rmSync(directory, { recursive: true, force: true }))
        const file = join(directory, 'live.sqlite3')
        const copy = join(directory, 'copy.sqlite3')
        const env = { DB_CONNECTION: 'sqlite', SQLITE_FILE: file }
        return {
          env,
          backUp: async () => void (await ace(env, 'database:backup', copy)),
          async putBack(stopServer) {
            await stopServer()
            copyFileSync(copy, file)
            for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true })
            return env
          },
        }
      },
    },
  ]

function dumpFile(cleanup: Cleanup): string {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-dump-'))
  chmodSync(directory, 0o777)
  cleanup(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'latchkey.dump')
}

async function ace(env: Env, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runAce(args, { env })
  if (exitCode !== 0) throw new Error(`ace ${args.join(' ')} failed:\n${stdout}${stderr}`)
  return stdout
}

test.group('Services that follow a database that was restored', (group) => {
  group.each.timeout(300_000)

  for (const { way, lacks, prepare } of WAYS) {
    const onPostgres = way.startsWith('pg_')
    const skipped =
      onPostgres === (process.env.DB_CONNECTION === 'postgres') ? lacks : 'the other database'
    test(`accept no ended session after their next answer: ${way}`, async ({ assert, cleanup }) => {
      const restore = await prepare(cleanup)
      let { env } = restore
      await ace(env, 'migration:run', '--force')
      const client = JSON.parse(
        await ace(env, 'client:create', 'shop', '--abilities=feed,introspect', '--json')
      )
      let server: TestServer = await startServer({ env })
      const { url } = server
      cleanup(() => server.stop())

      const email = 'ada@example.com'
      await call(url, 'POST', '/api/v1/auth/signup', { body: { email, password: PASSWORD } })
      const before = (await logIn(url, email)).body.data.token
      const basic = basicHeader(client.id, client.secret)
      const services = [1, 2, 3].map(() => new FollowingService(() => url, basic))
      const [polling, waiting, late] = services
      for (const service of services) {
        await service.follow()
        assert.isTrue(await service.accepts(before))
      }

      await restore.backUp()
      const lost = (await logIn(url, email)).body.data.token
      for (const service of [polling, waiting]) {
        await service.follow()
        assert.isFalse(await service.accepts(before))
        assert.isTrue(await service.accepts(lost))
      }

      const poll = waiting.follow(30).catch(() => 'cut')
      env = await restore.putBack(() => server.stop())
      const wasStopped = server.process.exitCode !== null
      if (wasStopped) server = await startServer({ env, port: Number(new URL(url).port) })
      /** A server that stops answers whoever waits, or cuts them off; one that goes on tells them. */
      if ((await poll) === 'cut' || wasStopped) await waiting.follow()
      await polling.follow()
      for (const service of [polling, waiting]) {
        assert.equal(service.gone, 1)
        assert.isFalse(await service.accepts(lost), 'the database does not know it')
        assert.isTrue(await service.accepts(before), 'the backup has it alive')
      }
      await late.follow()
      assert.equal(late.gone, 0, 'the backup holds the last entry that it passed')

      const told = waiting.follow(30)
      const done = JSON.parse(await ace(env, 'database:restored', '--yes', '--json'))
      assert.containsSubset(done, { keptSessions: false, ended: 1, complete: true })
      await Promise.all([told, polling.follow(), late.follow()])
      for (const service of services) {
        assert.isAbove(service.gone, 0)
        assert.isFalse(await service.accepts(before))
      }
      const answer = await call(url, 'GET', '/api/v1/account', { token: before })
      assert.equal(answer.body.errors[0].code, 'E_SESSION_ENDED')
    }).skip(skipped !== false, skipped || '')
  }
})
