/**
 * An application that added columns to its users: loaded into a server before it starts
 * (`--import`), in place of edits to the model and to the transformer.
 */
import { isDeepStrictEqual } from 'node:util'
import { column } from '@adonisjs/lucid/orm'
import User from '#models/user'
import UserTransformer from '#transformers/user_transformer'

const add = (decorator: unknown, name: string) =>
  (decorator as (target: object, name: string) => void)(User.prototype, name)

add(column(), 'nickname')
add(column.dateTime(), 'visitedAt')
add(
  column({ consume: (stored) => (typeof stored === 'string' ? JSON.parse(stored) : stored) }),
  'preferences'
)

Object.assign(UserTransformer.prototype, {
  async toObject(this: { resource: any }) {
    const user = this.resource
    const { $attributes } = await User.findOrFail(user.id)
    const { password, emailKey, mustVerifyEmail, importedAt, ...own } = $attributes
    const asLucidReads = isDeepStrictEqual({ ...user.$attributes }, own)
    const { nickname, visitedAt, preferences } = user
    const clean = user.$isDirty === false
    preferences.theme = 'light'
    const dirty = Object.keys(user.$dirty)
    return { nickname, visitedAt, preferences, asLucidReads, clean, dirty }
  },
})
