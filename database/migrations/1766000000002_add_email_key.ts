import { BaseSchema } from '@adonisjs/lucid/schema'
import { dropColumns } from '#database/drop_columns'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import logger from '@adonisjs/core/services/logger'
import { normalizeEmail } from '#models/email_address'

const BATCH = 1_000

/**
 * `email_key` is the normal form of an e-mail, unique, so that one mailbox has one account however it
 * is spelt; `email_verified_at` is when its owner proved to hold it.
 *
 * Of accounts that are one mailbox already the oldest gets the key. The others are listed, keep their
 * spelling and are found by it, as before.
 */
export default class extends BaseSchema {
  static fillKeys = fillKeys

  async up() {
    this.schema.alterTable('users', (table) => {
      table.string('email_key', 320).nullable()
      table.timestamp('email_verified_at').nullable()
      table.unique(['email_key'], { indexName: 'users_by_email_key' })
    })
    this.defer(fillKeys)
  }

  async down() {
    this.schema.alterTable('users', (table) => {
      table.dropUnique(['email_key'], 'users_by_email_key')
    })
    dropColumns(this.schema, 'users', ['email_key', 'email_verified_at'])
  }
}

async function fillKeys(db: QueryClientContract) {
  for (let after = 0; ;) {
    const users: { id: number; email: string }[] = await db
      .from('users')
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .select('id', 'email')
    if (users.length === 0) return
    for (const { id, email } of users) {
      const key = normalizeEmail(email)
      const holder =
        key === null ? null : await db.from('users').where('email_key', key).select('id').first()
      if (key !== null && !holder) await db.from('users').where('id', id).update({ email_key: key })
      else tell(id, holder?.id)
    }
    after = users.at(-1)!.id
  }
}

function tell(id: number, holder: number | undefined) {
  logger.warn(
    holder === undefined
      ? `User ${id} has no e-mail that may be signed in with today. The account and its sessions stay.`
      : `Users ${holder} and ${id} have the same e-mail in two spellings. Both work as before.`
  )
}
