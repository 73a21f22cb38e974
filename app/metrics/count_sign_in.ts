import { ApiError } from '#exceptions/api_error'
import { signIns } from '#app/metrics/metrics'

/**
 * Counts a sign-in by its outcome: `opened`, or the code of the error that refused it.
 */
export async function countSignIn<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await work()
    signIns.inc({ outcome: 'opened' })
    return result
  } catch (error) {
    signIns.inc({ outcome: error instanceof ApiError ? error.code : 'E_INTERNAL' })
    throw error
  }
}
