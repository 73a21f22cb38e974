import clock from '#app/clock'
import { instant, toDate, type StoredInstant } from '#models/instant'
import { BaseModel, beforeCreate, beforeSave, column } from '@adonisjs/lucid/orm'

export type Role = 'user' | 'admin'

export default class User extends BaseModel {
  static table = 'users'

  @column({ isPrimary: true })
  declare id: number

  @column()
  declare fullName: string | null

  /**
   * Lower case, so that one person has one account.
   */
  @column()
  declare email: string

  /**
   * The Argon2id hash, in PHC string format. Whoever sets it hashes first (#app/passwords/passwords),
   * where the number of hashes at once is bounded.
   */
  @column({ serializeAs: null })
  declare password: string

  @column()
  declare role: Role

  /**
   * The user's own session limit; null: that of the role or of the configuration.
   */
  @column()
  declare sessionLimit: number | null

  @column({ columnName: 'cut_session_seq', serializeAs: null, consume: Number })
  declare watermarkSeq: number

  @column({ columnName: 'cut_api_key_id', serializeAs: null, consume: Number })
  declare watermarkApiKeyId: number

  @instant()
  declare disabledAt: Date | null

  @instant()
  declare createdAt: Date

  @instant()
  declare updatedAt: Date

  get isAdmin(): boolean {
    return this.role === 'admin'
  }

  get isDisabled(): boolean {
    return this.disabledAt !== null
  }

  @beforeCreate()
  static fillDefaults(user: User) {
    user.fullName ??= null
    user.role ??= 'user'
    user.sessionLimit ??= null
    user.watermarkSeq ??= 0
    user.watermarkApiKeyId ??= 0
    user.disabledAt ??= null
    user.createdAt ??= clock.now()
  }

  @beforeSave()
  static stamp(user: User) {
    user.updatedAt = clock.now()
  }
}

/**
 * The columns that make a `User`, as the databases give them. PostgreSQL gives 64-bit numbers as
 * text.
 */
export type UserRow = {
  id: number
  full_name: string | null
  email: string
  password: string
  role: string
  session_limit: number | null
  cut_session_seq: number | string
  cut_api_key_id: number | string
  disabled_at: StoredInstant | null
  created_at: StoredInstant
  updated_at: StoredInstant
}

/**
 * By name: PostgreSQL can keep such a statement (#app/database/name_statements).
 */
export const USER_COLUMNS = [
  'id',
  'full_name',
  'email',
  'password',
  'role',
  'session_limit',
  'cut_session_seq',
  'cut_api_key_id',
  'disabled_at',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof UserRow)[]

/**
 * What reads rows for `toUser`.
 */
export const SELECT_USERS = `SELECT ${USER_COLUMNS.join(', ')} FROM users`

/**
 * The model as Lucid makes it from a row of `users`. Lucid sets one column after the other through
 * the model's proxy, which alone would be a tenth of the cost of a request.
 */
export function toUser(row: UserRow): User {
  const columns = {
    id: row.id,
    fullName: row.full_name,
    email: row.email,
    password: row.password,
    role: row.role,
    sessionLimit: row.session_limit,
    watermarkSeq: Number(row.cut_session_seq),
    watermarkApiKeyId: Number(row.cut_api_key_id),
    disabledAt: toDate(row.disabled_at),
    createdAt: toDate(row.created_at),
    updatedAt: toDate(row.updated_at),
  }
  const user = new User()
  Object.assign(user.$attributes, columns)
  Object.assign(user.$original, columns)
  user.$isPersisted = true
  user.$isLocal = false
  return user
}
