import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

/**
 * A disk of 8 MiB of its own; null where this user may not mount one.
 */
function mountDisk() {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory])
  const unmount = () => {
    if (status === 0) spawnSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  }
  if (status === 0) return { directory, unmount }
  unmount()
  return null
}

/**
 * Writes until nothing fits any more. Gives the file.
 */
function fill(directory: string): string {
  const file = join(directory, 'filler')
  writeFileSync(file, '')
  for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size))
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error
    }
  }
  return file
}

test.group('The disk under SQLite is full', (group) => {
  let disk: ReturnType<typeof mountDisk> = null

  const isPossible = () => {
    if (process.env.DB_CONNECTION !== 'postgres') disk = mountDisk()
    return disk !== null
  }
  group.teardown(() => disk?.unmount())
  group.each.setup(() => emptyDatabase())

  test('writes are refused and change nothing, checks go on, and room mends it', async ({
    assert,
    cleanup,
  }) => {
    const { directory } = disk!
    const [user, other] = [await makeUser(), await makeUser()]
    const file = join(directory, 'latchkey.sqlite3')
    await db.rawQuery('VACUUM INTO ?', [file])
    const server = await startServer({ env: { SQLITE_FILE: file } })
    cleanup(() => server.kill())
    const { body } = await logIn(server.url, user.email)
    const ask = (method: string, path: string) =>
      call(server.url, method, path, { token: body.data.token })

    const filler = fill(directory)
    /** The file system keeps a few pages back, for which a sign-in or two may still find room. */
    const held: string[] = []
    let tries = 0
    let refused = await logIn(server.url, other.email)
    while (refused.status === 200 && (tries += 1) < 20) {
      held.splice(0, 1, refused.body.data.session.id)
      refused = await logIn(server.url, other.email)
    }
    assert.equal(`${refused.status} ${refused.body.errors?.[0].code}`, '503 E_UNAVAILABLE')
    assert.match(refused.headers.get('retry-after')!, /^\d+$/)
    const check = await ask('GET', '/api/v1/account')
    assert.equal(check.status, 200)

    rmSync(filler)
    const signedIn = await logIn(server.url, other.email)
    assert.equal(signedIn.status, 200)
    assert.deepEqual(
      signedIn.body.data.endedSessions.map(({ id }: { id: string }) => id),
      held
    )
    const logout = await ask('POST', '/api/v1/auth/logout')
    assert.equal(logout.status, 204)
    const ended = await ask('GET', '/api/v1/account')
    assert.equal(ended.body.errors[0].reason, 'logged_out')
  })
    .timeout(30_000)
    .skip(() => !isPossible(), 'is about SQLite, and mounts a disk, which takes root on Linux')
})
