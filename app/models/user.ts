import { BaseModel, beforeCreate, beforeSave, column } from '@adonisjs/lucid/orm'
import type { DateTime } from 'luxon'
import { normalizeEmail } from '#models/email_address'
import { dateTime } from '#models/instant'

export type Role = 'user' | 'admin'

/**
 * The languages that a user may choose.
 */
export const LOCALES = ['en', 'de'] as const
export type Locale = (typeof LOCALES)[number]

/**
 * How another system may name a user: 1 to 255 printable ASCII characters.
 */
export const EXTERNAL_ID = /^[\x20-\x7e]{1,255}$/

/**
 * A column added here is in `auth.user` as well: every check reads the model's columns but those
 * with `meta: { inChecks: false }` (#models/user_row).
 */
export default class User extends BaseModel {
  static table = 'users'

  @column({ isPrimary: true })
  declare id: number

  @column()
  declare fullName: string | null

  /**
   * Null where another system knows who the user is: nothing is mailed then.
   */
  @column()
  declare email: string | null

  /**
   * The normal form of the e-mail, so that one mailbox has one account; null where an older account
   * holds it already.
   */
  @column({ serializeAs: null, meta: { inChecks: false } })
  declare emailKey?: string | null

  /**
   * When its owner proved to hold the e-mail. Null: nobody did, and it may be a look-alike.
   */
  @dateTime()
  declare emailVerifiedAt: DateTime | null

  /**
   * Whether the account was made while an e-mail had to be verified: until it is, its password signs
   * nobody in where that is required.
   */
  @column({ serializeAs: null, meta: { inChecks: false }, consume: Boolean })
  declare mustVerifyEmail?: boolean

  /**
   * How another system names this user (`EXTERNAL_ID`).
   */
  @column()
  declare externalId: string | null

  /**
   * The Argon2id hash, in PHC string format. Whoever sets it hashes first (#app/passwords/passwords),
   * where the number of hashes at once is bounded. A check does not read it, so `auth.user` comes
   * without: whoever compares it reads the user again (`confirmPassword`, `User.find`). Null: none,
   * so no password signs the user in.
   */
  @column({ serializeAs: null, meta: { inChecks: false } })
  declare password?: string | null

  @column()
  declare role: Role

  /**
   * The language that the user chose; null: none yet.
   */
  @column()
  declare locale: Locale | null

  /**
   * The user's own session limit; null: that of the role or of the configuration.
   */
  @column()
  declare sessionLimit: number | null

  @column({ columnName: 'cut_session_seq', serializeAs: null, consume: Number })
  declare watermarkSeq: number

  @column({ columnName: 'cut_api_key_id', serializeAs: null, consume: Number })
  declare watermarkApiKeyId: number

  @dateTime()
  declare disabledAt: DateTime | null

  /**
   * When the account was brought along from another system (`user:import`). Without a password, that
   * system's login may say who its user is (#app/accounts/legacy_login).
   */
  @dateTime({ serializeAs: null, meta: { inChecks: false } })
  declare importedAt?: DateTime | null

  @dateTime({ autoCreate: true })
  declare createdAt: DateTime

  @dateTime({ autoCreate: true, autoUpdate: true })
  declare updatedAt: DateTime

  get isAdmin(): boolean {
    return this.role === 'admin'
  }

  get isEmailVerified(): boolean {
    return this.emailVerifiedAt !== null
  }

  get isDisabled(): boolean {
    return this.disabledAt !== null
  }

  /**
   * How operators name the user in a terminal: by e-mail, else by what another system calls them, else
   * by id. Each finds the user again.
   */
  get reference(): string {
    return referenceOf(this)
  }

  @beforeSave()
  static normalizeAddress(user: User) {
    if (!('email' in user.$dirty)) return
    user.emailKey = user.email === null ? null : normalizeEmail(user.email)
  }

  @beforeCreate()
  static fillDefaults(user: User) {
    user.fullName ??= null
    user.email ??= null
    user.emailKey ??= null
    user.password ??= null
    user.role ??= 'user'
    user.externalId ??= null
    user.emailVerifiedAt ??= null
    user.mustVerifyEmail ??= false
    user.locale ??= null
    user.sessionLimit ??= null
    user.watermarkSeq ??= 0
    user.watermarkApiKeyId ??= 0
    user.disabledAt ??= null
    user.importedAt ??= null
  }
}

/**
 * `User.reference` of a row that was read without the model.
 */
export function referenceOf(user: Pick<User, 'id' | 'email' | 'externalId'>): string {
  if (user.email !== null) return user.email
  return user.externalId === null ? String(user.id) : `external:${user.externalId}`
}
