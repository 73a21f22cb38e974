import vine from '@vinejs/vine'
import clock from '#app/clock'
import { readAddress } from '#app/http/client_address'
import { cutUserAgent } from '#app/devices/device'
import { E_VALIDATION_ERROR } from '#exceptions/errors'
import { moment } from '#validators/filters'
import { refuseUnknownFields } from '#validators/known_fields'
import * as rules from '#validators/rules'

const user = {
  id: rules.userId().nullable().optional(),
  externalId: rules.externalId().nullable().optional(),
  email: rules.email().nullable().optional(),
  emailVerified: vine.boolean({ strict: true }).nullable().optional(),
  fullName: rules.fullName().nullable().optional(),
}

const signIn = {
  user: vine.object(user),
  create: vine.boolean({ strict: true }).optional(),
  device: rules.device().nullable().optional(),
  /** As a framework hands it on: `::ffff:192.0.2.1` is shown and compared as 192.0.2.1. */
  ip: vine
    .string()
    .ipAddress()
    .transform((ip) => readAddress(ip) ?? ip)
    .nullable()
    .optional(),
  userAgent: vine.string().transform(cutUserAgent).nullable().optional(),
  dpopJkt: vine
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .nullable()
    .optional(),
  authenticatedAt: moment().nullable().optional(),
  limit: rules.sessionLimit().optional(),
  logoutOthers: vine.boolean({ strict: true }).optional(),
  endSessions: vine.array(vine.string().maxLength(64)).maxLength(1000).optional(),
}

const signInValidator = vine.create(signIn)
const confirmationValidator = vine.create({ authenticatedAt: moment().nullable().optional() })

/**
 * A sign-in as a trusted backend says it. Throws `E_VALIDATION_ERROR`, also for fields that there are
 * none of: a misspelt limit would be none.
 */
export async function readTrustedSignIn(body: Record<string, unknown>) {
  refuseUnknownFields(body, Object.keys(signIn))
  const said = await signInValidator.validate(body)
  refuseUnknownFields(body.user as Record<string, unknown>, Object.keys(user))
  const { id, externalId, email } = said.user
  if ((id ?? externalId ?? email ?? null) === null) {
    const message = 'Name the user by id, externalId or email'
    throw new E_VALIDATION_ERROR([{ field: 'user', rule: 'required', message }])
  }
  refuseFuture(said.authenticatedAt)
  return said
}

/**
 * A confirmation as a trusted backend says it.
 */
export async function readTrustedConfirmation(body: Record<string, unknown>) {
  refuseUnknownFields(body, ['authenticatedAt'])
  const said = await confirmationValidator.validate(body)
  refuseFuture(said.authenticatedAt)
  return said
}

/**
 * A clock that is ahead would make sign-ins fresh for longer than they are.
 */
function refuseFuture(authenticatedAt: Date | null | undefined): void {
  if (!authenticatedAt || authenticatedAt <= clock.now()) return
  const message = 'The authenticatedAt field must not be in the future; without it, it is now'
  throw new E_VALIDATION_ERROR([{ field: 'authenticatedAt', rule: 'past', message }])
}
