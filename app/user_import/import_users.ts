import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { leftAddresses } from '#app/accounts/left_addresses'
import { inBatches } from '#app/background/batches'
import clock from '#app/clock'
import { inList, insertOf, rows } from '#app/database/sql'
import { inTransaction } from '#app/database/transaction'
import { appendEvents } from '#app/event_log/append'
import { noteForeignHashes } from '#app/passwords/foreign_hashes_here'
import { readAccountOf, type ImportedAccount } from '#app/user_import/account'
import type { Line } from '#app/user_import/lines'

export type ImportReport = {
  /** Lines with something in them. */
  read: number
  created: number
  /** Accounts that were there, and were left as they are. */
  unchanged: number
  refused: number
}

type Options = {
  /** Looks, and writes nothing. */
  dryRun?: boolean
  signal?: AbortSignal
  onRefused: (line: number, reason: string) => void
  /** Lines and bytes of the file that are done. */
  onProgress?: (lines: number, end: number) => void
}

type Candidate = ImportedAccount & { line: number }

/**
 * Makes accounts of the lines of a file, some at a time. `externalId` says which account a line means, or
 * else `email`: one that is there is left as it is, so an import that was cut off is run again. Returns also
 * whether the file was read to its end.
 */
export async function importUsers(
  lines: AsyncGenerator<Line>,
  { dryRun = false, signal, onRefused, onProgress }: Options
): Promise<ImportReport & { complete: boolean }> {
  const report = { read: 0, created: 0, unchanged: 0, refused: 0 }
  const refuse = (line: number, reason: string) => {
    report.refused++
    onRefused(line, reason)
  }
  const { complete } = await inBatches(
    async (size) => {
      const { taken, end, candidates } = await readSome(lines, size, refuse)
      report.read += taken
      const before = report.created
      let pending = candidates
      while (pending.length > 0) {
        const fresh = await sortOut(pending, report, refuse)
        const created = dryRun ? fresh : await write(fresh)
        report.created += created.length
        /** Somebody made the same account meanwhile: it is there now. */
        pending = fresh.filter((one) => !created.includes(one))
      }
      onProgress?.(taken, end)
      return { taken, done: report.created - before }
    },
    { signal }
  )
  await lines.return(undefined)
  return { ...report, complete }
}

type Refuse = (line: number, reason: string) => void

async function readSome(lines: AsyncGenerator<Line>, size: number, refuse: Refuse) {
  const candidates: Candidate[] = []
  let taken = 0
  let end = 0
  while (taken < size) {
    const { value: line, done } = await lines.next()
    if (done) break
    taken++
    end = line.end
    const account = 'fields' in line ? readAccountOf(line.fields) : line.refusal
    if (typeof account === 'string') refuse(line.number, account)
    else candidates.push({ ...account, line: line.number })
  }
  return { taken, end, candidates }
}

type Holder = { id: number | string; external_id: string | null }

/**
 * Those whose account is not there. Counts or refuses the others; of two lines of one account the second
 * finds that of the first.
 */
async function sortOut(
  candidates: Candidate[],
  report: ImportReport,
  refuse: Refuse
): Promise<Candidate[]> {
  const { byExternalId, byEmail } = await readHolders(candidates)
  const fresh: Candidate[] = []
  for (const one of candidates) {
    const { email, spelling, externalId, line } = one
    const known = externalId === null ? undefined : byExternalId.get(externalId)
    const holder = email === null ? undefined : (byEmail.get(spelling!) ?? byEmail.get(email))
    if (known || (holder && externalId === null)) report.unchanged++
    else if (holder)
      refuse(line, `email is that of ${holder.id}, which has another externalId or none`)
    else {
      const made = { id: `the user of line ${line}`, external_id: externalId }
      if (externalId !== null) byExternalId.set(externalId, made)
      if (email !== null) byEmail.set(email, made)
      fresh.push(one)
    }
  }
  return withoutLeft(fresh, refuse)
}

/**
 * Who deleted their account, or changed its address, does not get another one by a second run.
 */
async function withoutLeft(candidates: Candidate[], refuse: Refuse): Promise<Candidate[]> {
  const emails = candidates.flatMap(({ email }) => email ?? [])
  const left = await leftAddresses(db.connection(), emails)
  return candidates.filter(({ email, line }) => {
    if (email === null || !left.has(email)) return true
    refuse(line, 'email is one that an account here had: it was deleted, or has another one now')
    return false
  })
}

async function readHolders(candidates: Candidate[]) {
  const client = db.connection()
  const externalIds = candidates.flatMap(({ externalId }) => externalId ?? [])
  const emails = candidates.flatMap(({ email }) => email ?? [])
  const spellings = candidates.flatMap(({ email, spelling }) =>
    [email ?? [], spelling ?? []].flat()
  )
  const [byId, byKey, bySpelling] = [
    inList(client, 'external_id', 'text', externalIds),
    inList(client, 'email_key', 'text', emails),
    inList(client, 'email', 'text', spellings),
  ]
  const found = await rows<Holder & { email: string | null; email_key: string | null }>(
    client,
    [byId, byKey, bySpelling]
      .map(({ sql }) => `SELECT id, external_id, email, email_key FROM users WHERE ${sql}`)
      .join(' UNION '),
    [byId, byKey, bySpelling].map(({ binding }) => binding)
  )
  const byExternalId = new Map<string, Holder>()
  const byEmail = new Map<string, Holder>()
  for (const { email, email_key: key, id, external_id: externalId } of found) {
    const holder = { id: `user ${id}`, external_id: externalId }
    if (externalId !== null) byExternalId.set(externalId, holder)
    for (const address of [email, key]) if (address !== null) byEmail.set(address, holder)
  }
  return { byExternalId, byEmail }
}

/**
 * Writes accounts, with the events that tell of them. Returns those that nobody made meanwhile.
 */
async function write(accounts: Candidate[]): Promise<Candidate[]> {
  if (accounts.length === 0) return []
  return inTransaction(async (trx) => {
    const ids = await insert(trx, accounts)
    const created = accounts.filter((account) => ids.has(keyOf(account)))
    await noteForeignHashes(
      trx,
      created.flatMap(({ passwordHash }) => passwordHash ?? [])
    )
    await appendEvents(
      trx,
      created.map((account) => ({
        type: 'user.created',
        userId: ids.get(keyOf(account))!,
        actor: 'command:user:import',
        data: { role: 'user' },
      }))
    )
    return created
  })
}

/**
 * The ids of the accounts that were made, by `keyOf`.
 */
async function insert(
  trx: TransactionClientContract,
  accounts: Candidate[]
): Promise<Map<string, number>> {
  const now = clock.now()
  const { sql, bindings } = insertOf(
    'users',
    accounts.map((account) => ({
      email: account.email,
      email_key: account.email,
      external_id: account.externalId,
      full_name: account.fullName,
      password: account.passwordHash,
      role: 'user',
      session_limit: account.sessionLimit,
      email_verified_at: account.email !== null && account.emailVerified ? now : null,
      must_verify_email: false,
      disabled_at: account.disabled ? now : null,
      imported_at: now,
      created_at: account.createdAt ?? now,
      updated_at: now,
    }))
  )
  const made = await rows<{ id: number; email: string | null; external_id: string | null }>(
    trx,
    `${sql} ON CONFLICT DO NOTHING RETURNING id, email, external_id`,
    bindings
  )
  return new Map(
    made.map(({ id, email, external_id: externalId }) => [keyOf({ email, externalId }), id])
  )
}

function keyOf({ email, externalId }: Pick<Candidate, 'email' | 'externalId'>): string {
  return JSON.stringify([email, externalId])
}
