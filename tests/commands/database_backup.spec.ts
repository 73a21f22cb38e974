import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import db from '@adonisjs/lucid/services/db'
import DatabaseBackup from '#commands/database_backup'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

test.group('database:backup', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    ace.ui.switchMode('raw')
    return () => ace.ui.switchMode('normal')
  })

  test('copies what is committed, and refuses to overwrite', async ({ assert, cleanup }) => {
    const directory = mkdtempSync(join(tmpdir(), 'latchkey-backup-'))
    cleanup(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'copy.sqlite3')
    await signIn(await makeUser())

    const command = await ace.create(DatabaseBackup, [file])
    await command.exec()
    if (db.connection().dialect.name === 'postgres') {
      assert.equal(command.exitCode, 2)
      return
    }
    command.assertSucceeded()
    assert.equal(statSync(file).mode & 0o777, 0o600)

    db.manager.add('copy', {
      ...db.getRawConnection('sqlite')!.config,
      connection: { filename: file },
    } as any)
    const copied = await db.connection('copy').from('sessions')
    await db.manager.close('copy', true)
    assert.lengthOf(copied, 1)

    const again = await ace.create(DatabaseBackup, [file])
    await again.exec()
    assert.equal(again.exitCode, 2)
  })
})
