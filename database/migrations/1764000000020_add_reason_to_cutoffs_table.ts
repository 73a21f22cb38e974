import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * A watermark serves whatever ends very many sessions or API keys at once, so it says why. API keys
 * get an index of their own: it is as small as their number, and finds them among millions of
 * session tokens.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.alterTable('cutoffs', (table) => {
      table.string('reason', 32).notNullable().defaultTo('forced')
    })
    this.schema.raw("CREATE INDEX api_tokens_keys ON api_tokens (id) WHERE type = 'api_key'")
  }

  async down() {
    this.schema.raw('DROP INDEX api_tokens_keys')
    this.schema.alterTable('cutoffs', (table) => {
      table.dropColumn('reason')
    })
  }
}
