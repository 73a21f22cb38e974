import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { toDate, type StoredInstant } from '#models/instant'
import { shownDevice, type Device } from '#app/devices/device'

/**
 * What sort of session it is: the user's own, one that an admin holds as the user, or one on a device
 * that many people use.
 */
export type SessionKind = 'user' | 'support' | 'shared'

/**
 * One sign-in of one user on one device.
 */
export type Session = {
  id: string
  userId: number
  kind: SessionKind
  device: Device
  ip: string | null
  userAgent: string | null
  createdAt: Date
  /** When its user last showed who they are; a refresh does not. */
  authenticatedAt: Date
  lastSeenAt: Date
  /** The key that its tokens are bound to (RFC 7638 thumbprint); null: whoever bears them. */
  keyThumbprint: string | null
  /** The absolute lifetime. The idle timeout may end it sooner. */
  expiresAt: Date
}

/**
 * The key that a client has proven to hold; null: it has proven none. `spendProof` makes sure, in
 * the transaction that gives tokens for that key, that the proof was not used before.
 */
export type ProvenKey = {
  keyThumbprint: string | null
  spendProof?: (trx: TransactionClientContract) => Promise<void>
}

/**
 * A session as it is stored. `seq` is the number that the database has drawn for it: it counts up
 * with every session opened, and is what a watermark compares. `endedAt`: its end is written.
 */
export type StoredSession = Session & { seq: number; endedAt: Date | null }

/**
 * The columns that make a `StoredSession`, as the databases give them. PostgreSQL gives 64-bit
 * numbers as text.
 */
export type SessionRow = {
  id: string
  seq: number | string
  user_id: number
  kind: SessionKind
  device_id: string | null
  device_name: string | null
  platform: string | null
  ip: string | null
  user_agent: string | null
  created_at: StoredInstant
  authenticated_at: StoredInstant | null
  last_seen_at: StoredInstant
  expires_at: StoredInstant
  ended_at: StoredInstant | null
  key_thumbprint: string | null
}

export const SESSION_COLUMNS = [
  'id',
  'seq',
  'user_id',
  'kind',
  'device_id',
  'device_name',
  'platform',
  'ip',
  'user_agent',
  'created_at',
  'authenticated_at',
  'last_seen_at',
  'expires_at',
  'ended_at',
  'key_thumbprint',
] as const satisfies readonly (keyof SessionRow)[]

/**
 * The same for a statement that joins other tables.
 */
export const SELECTED_SESSION_COLUMNS = SESSION_COLUMNS.map((column) => `sessions.${column}`).join(
  ', '
)

export function toSession(row: SessionRow): StoredSession {
  return {
    id: row.id,
    seq: Number(row.seq),
    userId: row.user_id,
    kind: row.kind,
    device: { id: row.device_id, name: row.device_name, platform: row.platform },
    ip: row.ip,
    userAgent: row.user_agent,
    createdAt: toDate(row.created_at),
    /** One that a node of an older version opened says nothing of it. */
    authenticatedAt: toDate(row.authenticated_at ?? row.created_at),
    lastSeenAt: toDate(row.last_seen_at),
    expiresAt: toDate(row.expires_at),
    endedAt: toDate(row.ended_at),
    keyThumbprint: row.key_thumbprint,
  }
}

/**
 * Orders sessions by when they were last seen, latest first.
 */
export function byLatestActivity(a: StoredSession, b: StoredSession): number {
  return (
    b.lastSeenAt.getTime() - a.lastSeenAt.getTime() ||
    b.createdAt.getTime() - a.createdAt.getTime() ||
    b.seq - a.seq
  )
}

/**
 * A session as its user and admins see it. `current` marks the one that asks.
 */
export function describeSession(session: Session, currentId?: string) {
  return {
    id: session.id,
    kind: session.kind,
    device: shownDevice(session),
    ip: session.ip,
    userAgent: session.userAgent,
    createdAt: session.createdAt.toISOString(),
    authenticatedAt: session.authenticatedAt.toISOString(),
    lastSeenAt: session.lastSeenAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    current: session.id === currentId,
  }
}
