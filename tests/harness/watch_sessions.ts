import { setTimeout as sleep } from 'node:timers/promises'
import db from '@adonisjs/lucid/services/db'

/**
 * Reads the database all the while. `stop` gives the most sessions that it saw at once, of one user or
 * of all, and how often it looked.
 */
export function watchSessions(userId?: number) {
  let racing = true
  let most = 0
  let looks = 0
  const watching = (async () => {
    while (racing) {
      const query = db.from('sessions').whereNull('ended_at')
      if (userId !== undefined) query.where('user_id', userId)
      const rows = await query
      most = Math.max(most, rows.length)
      looks++
      await sleep(5)
    }
  })()
  return async () => {
    racing = false
    await watching
    return { most, looks }
  }
}
