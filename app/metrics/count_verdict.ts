import type { Verdict } from '#auth/verification'
import { checks } from '#app/metrics/metrics'

/**
 * One series for each verdict, found once: every request comes through here.
 */
const series: Record<Verdict['type'], { inc(): void }> = {
  live: checks.labels('live'),
  expired: checks.labels('expired'),
  ended: checks.labels('ended'),
  unknown: checks.labels('unknown'),
}

/**
 * Counts the check of a token by what it found.
 */
export function countVerdict(verdict: Verdict['type']): void {
  series[verdict].inc()
}
