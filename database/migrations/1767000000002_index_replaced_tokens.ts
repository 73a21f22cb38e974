import { BaseSchema } from '@adonisjs/lucid/schema'

/**
 * Entries of replaced tokens, one a refresh, are pruned sooner than the others: pruning finds them by
 * this.
 */
export default class extends BaseSchema {
  async up() {
    this.schema.raw(
      "CREATE INDEX session_events_replaced ON session_events (occurred_at) WHERE type = 'tokens.replaced'"
    )
  }

  async down() {
    this.schema.raw('DROP INDEX session_events_replaced')
  }
}
