import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Finds who is signed in on a shared device, whoever it is.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.raw(
      `CREATE INDEX sessions_live_shared ON sessions (device_id) WHERE kind = 'shared' AND ended_at IS NULL`
    )
  }

  async down() {
    this.schema.raw('DROP INDEX sessions_live_shared')
  }
}
