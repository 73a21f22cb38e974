import clock from '#app/clock'
import { instant } from '#models/instant'
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
   * The Argon2id hash, in PHC string format. Whoever sets it hashes first (#accounts/passwords),
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

  @column({ serializeAs: null, consume: Number })
  declare cutSessionSeq: number

  @column({ serializeAs: null, consume: Number })
  declare cutApiKeyId: number

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
    user.cutSessionSeq ??= 0
    user.cutApiKeyId ??= 0
    user.disabledAt ??= null
    user.createdAt ??= clock.now()
  }

  @beforeSave()
  static stamp(user: User) {
    user.updatedAt = clock.now()
  }
}
