let lacking = false

/**
 * Whether the database lacked a migration when it was last asked (#app/migrations/pending): what fails
 * then may fail for that.
 */
export function lacksMigrations(): boolean {
  return lacking
}

export function noteMigrations(state: { lacking: boolean }): void {
  lacking = state.lacking
}
