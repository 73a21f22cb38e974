import vine from '@vinejs/vine'
import type { AccountChanges } from '#app/accounts/change_account'
import { LOCALES } from '#models/user'
import { refuseUnknownFields } from '#validators/known_fields'
import * as rules from '#validators/rules'

/**
 * An account as an operator makes it.
 */
export const newUserValidator = vine.create({
  email: rules.newEmail(),
  password: rules.newPassword(),
  fullName: rules.fullName().optional(),
})

const changes = {
  fullName: rules.fullName().nullable().optional(),
  locale: vine.enum(LOCALES).nullable().optional(),
}

const changesValidator = vine.create(changes)

/**
 * What users say of themselves. Throws `E_VALIDATION_ERROR`, also for fields that there are none of.
 */
export async function readAccountChanges(body: Record<string, unknown>): Promise<AccountChanges> {
  refuseUnknownFields(body, Object.keys(changes))
  return changesValidator.validate(body)
}
