import { CLIENT_ABILITIES } from '#app/service_clients/service_client'
import { LOCALES } from '#models/user'
import { END_REASONS } from '#exceptions/end_reasons'
import type { Schema } from '#app/openapi/types'

const nullable = (type: string, more: Schema = {}) => ({ type: [type, 'null'], ...more })
const instant = { type: 'string', format: 'date-time' }
const uuid = { type: 'string', format: 'uuid' }

/**
 * No `format: email`, which knows no letters beyond ASCII (RFC 6531).
 */
const email = nullable('string', { maxLength: 254 })

const externalId = nullable('string', {
  maxLength: 255,
  description: 'How another system names the user.',
})
const signInTime = nullable('string', {
  format: 'date-time',
  description: 'When its user last showed who they are; null in a support session.',
})

const sessionKind = {
  enum: ['user', 'support', 'shared'],
  description: "The user's own, one that an admin holds as the user, or one on a shared device.",
}

/**
 * An object with exactly these properties. A name that ends in `?` may be absent.
 */
export function object(properties: Record<string, Schema>, more: Schema = {}): Schema {
  const names = Object.keys(properties)
  return {
    type: 'object',
    required: names.filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name.replace(/\?$/, ''), schema])
    ),
    additionalProperties: false,
    ...more,
  }
}

/** A schema of the document by its name. */
export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const tokens = {
  token: { type: 'string', pattern: '^oat_[A-Za-z0-9_-]{43}$' },
  tokenType: { enum: ['Bearer', 'DPoP'] },
  expiresAt: instant,
  expiresIn: { type: 'integer', minimum: 0, description: 'Seconds until `expiresAt`.' },
  refreshToken: nullable('string', { pattern: '^ort_[A-Za-z0-9_-]{43}$' }),
  refreshExpiresAt: nullable('string', { format: 'date-time' }),
  refreshExpiresIn: nullable('integer', { minimum: 0 }),
}

const apiKey = {
  id: { type: 'integer' },
  name: { type: 'string' },
  description: nullable('string'),
  abilities: { type: 'array', items: { type: 'string' } },
  createdAt: instant,
  lastUsedAt: nullable('string', { format: 'date-time' }),
  expiresAt: nullable('string', { format: 'date-time' }),
}

const session = {
  id: uuid,
  kind: sessionKind,
  device: ref('Device'),
  ip: nullable('string'),
  userAgent: nullable('string'),
  createdAt: instant,
  authenticatedAt: signInTime,
  lastSeenAt: instant,
  expiresAt: { ...instant, description: 'The absolute lifetime.' },
  current: { type: 'boolean', description: 'Whether it is the session that asks.' },
}

const userId = { type: 'integer' }

/** An entry of the feed of this type. */
const revocation = (type: string, properties: Record<string, Schema>) =>
  object({ id: { type: 'integer' }, type: { const: type }, ...properties })

/**
 * The shapes that answers and bodies are made of, by name.
 */
export const schemas: Record<string, Schema> = {
  Device: object(
    { id: nullable('string'), name: nullable('string'), platform: nullable('string') },
    { description: 'What the client says it is. Without a name, one is read from the user agent.' }
  ),
  DeviceOfSignIn: {
    type: ['object', 'null'],
    properties: {
      id: nullable('string', {
        maxLength: 512,
        description: 'Stable and chosen by the client: the same device takes no second place.',
      }),
      name: nullable('string', { description: 'Cut to 100 characters.' }),
      platform: nullable('string', {
        description: 'Normalized to at most 32 of `a-z0-9_-`: `Mac OS X` is `macos`.',
        examples: ['ios', 'android', 'web'],
      }),
      shared: {
        type: ['boolean', 'null'],
        description: 'Many people use it: no refresh token, and idle after `SESSION_SHARED_IDLE`.',
      },
    },
  },
  TakenOverBy: object({ name: nullable('string'), platform: nullable('string') }),
  User: object({
    id: { type: 'integer' },
    externalId: externalId,
    email: email,
    fullName: nullable('string'),
    locale: { enum: [...LOCALES, null], description: 'The language that the user chose.' },
    role: { enum: ['user', 'admin'] },
    createdAt: instant,
  }),
  Session: object(session),
  PastSession: object({ ...session, reason: { enum: END_REASONS }, endedAt: instant }),
  EndedSession: object({
    id: uuid,
    device: ref('Device'),
    lastSeenAt: instant,
    reason: { enum: END_REASONS },
  }),
  Revocation: {
    oneOf: [
      revocation('session.ended', {
        sessionId: uuid,
        userId,
        reason: { enum: END_REASONS },
        endedAt: instant,
      }),
      revocation('tokens.replaced', { sessionId: uuid, userId }),
      revocation('session.changed', {
        sessionId: uuid,
        userId,
        what: { enum: ['freshness', 'name'] },
      }),
      revocation('watermark', {
        userId: {
          ...nullable('integer'),
          description: 'Whose sessions have ended; null: everyone’s.',
        },
        reason: { enum: END_REASONS },
        at: instant,
        apiKeys: { type: 'boolean', description: 'API keys have ended too.' },
      }),
      revocation('api_key.ended', { apiKeyId: { type: 'integer' }, userId }),
      revocation('account.changed', {
        userId,
        what: { enum: ['role', 'email', 'disabled', 'enabled', 'deleted'] },
      }),
    ],
  },
  Quota: object(
    { used: { type: 'integer' }, max: nullable('integer') },
    { description: 'Sessions held and allowed; `max` null: as many as they like.' }
  ),
  OpenedSession: object({
    ...tokens,
    user: ref('User'),
    session: ref('Session'),
    endedSessions: { type: 'array', items: ref('EndedSession') },
    quota: ref('Quota'),
  }),
  SessionTokens: object({ ...tokens, session: ref('Session') }),
  SessionTokensOfChange: object({
    ...tokens,
    'session': ref('Session'),
    'message?': { type: 'string', description: 'Which API keys live on, and how to end them.' },
  }),
  ApiKey: object(apiKey),
  NewApiKey: object({
    ...apiKey,
    key: { type: 'string', pattern: '^oak_[A-Za-z0-9_-]{43}$' },
  }),
  Message: object({ message: { type: 'string' } }),
  Ended: object({ ended: { type: 'integer', minimum: 0 } }),
  PageMeta: object({
    total: { type: 'integer' },
    perPage: { type: 'integer' },
    currentPage: { type: 'integer' },
    lastPage: { type: 'integer' },
    firstPage: { type: 'integer' },
    firstPageUrl: { type: 'string' },
    lastPageUrl: { type: 'string' },
    nextPageUrl: nullable('string'),
    previousPageUrl: nullable('string'),
  }),
  Event: object({
    id: { type: 'integer' },
    type: { type: 'string' },
    sessionId: nullable('string', { format: 'uuid' }),
    reason: nullable('string'),
    actor: { type: 'string', examples: ['user:7', 'command:force:logout', 'system'] },
    data: { type: 'object' },
    occurredAt: instant,
  }),
  AdminEvent: object({
    id: { type: 'integer' },
    type: { type: 'string' },
    userId: nullable('integer'),
    sessionId: nullable('string', { format: 'uuid' }),
    reason: nullable('string'),
    actor: { type: 'string' },
    data: { type: 'object' },
    occurredAt: instant,
  }),
  AdminUser: object({
    id: { type: 'integer' },
    externalId: externalId,
    email: email,
    emailVerified: { type: 'boolean' },
    fullName: nullable('string'),
    role: { enum: ['user', 'admin'] },
    sessionLimit: nullable('integer'),
    liveSessions: { type: 'integer', minimum: 0 },
    createdAt: instant,
    disabledAt: nullable('string', { format: 'date-time' }),
  }),
  ContestedAccount: object({
    user: object({
      id: { type: 'integer' },
      email: nullable('string'),
      fullName: nullable('string'),
    }),
    devices: {
      type: 'array',
      items: object({ name: nullable('string'), platform: nullable('string') }),
    },
    count: { type: 'integer', description: 'Sign-ins that superseded another device.' },
    since: instant,
    lastAt: instant,
    refusesUntil: nullable('string', {
      format: 'date-time',
      description: 'Until then sign-ins on another device are refused (SESSION_CONTEST_COOLDOWN).',
    }),
  }),
  AdminSession: object({
    ...session,
    user: object({
      id: { type: 'integer' },
      email: nullable('string'),
      externalId: nullable('string'),
    }),
  }),
  ForceLogout: object({
    ended: { type: 'integer', minimum: 0 },
    apiKeysEnded: { type: 'integer', minimum: 0 },
    apiKeysLeft: { type: 'integer', minimum: 0 },
    message: nullable('string', { description: 'Which API keys live on, and how to end them.' }),
    sessions: { type: 'array', maxItems: 100, items: ref('AdminSession') },
    dryRun: { type: 'boolean' },
    endedOwnSession: { type: 'boolean' },
    cutAt: nullable('string', {
      format: 'date-time',
      description: 'When all of them stopped at one commit, where they are very many.',
    }),
    complete: {
      type: 'boolean',
      description: 'False: their tokens are dead, and the rest of the rows is written behind.',
    },
  }),
  EndedKeys: object({
    ended: { type: 'integer', minimum: 0 },
    sessions: { type: 'array', maxItems: 0, description: 'A key has none.' },
  }),
  ServiceClient: object({
    id: uuid,
    name: { type: 'string' },
    abilities: { type: 'array', items: { enum: CLIENT_ABILITIES } },
    createdAt: instant,
    revokedAt: nullable('string', { format: 'date-time' }),
  }),
  DisabledUser: object({
    user: object({
      id: { type: 'integer' },
      email: email,
      fullName: nullable('string'),
      role: { enum: ['user', 'admin'] },
      disabledAt: nullable('string', { format: 'date-time' }),
    }),
    ended: { type: 'integer', minimum: 0 },
    apiKeysEnded: { type: 'integer', minimum: 0 },
    endedOwnSession: { type: 'boolean' },
  }),
}
