import Bowser from 'bowser'

/**
 * User agents repeat, and reading one takes longer than all else of a check: the last ones read
 * are kept. Old ones go, so that strangers can't fill the memory.
 */
const KEPT = 1000
const families = new Map<string, string>()

/**
 * The family and platform of a user agent, without versions, so that an update is no other
 * device: `Chrome on Windows`, or the product that a program names itself.
 */
export function userAgentFamily(userAgent: string | null): string {
  if (!userAgent) return 'none'
  const known = families.get(userAgent)
  if (known !== undefined) return known

  const { browser, os } = Bowser.parse(userAgent)
  const product = userAgent.split(/[/\s(]/, 1)[0].toLowerCase()
  const family = `${browser.name || product} on ${os.name || 'an unknown system'}`
  if (families.size >= KEPT) families.delete(families.keys().next().value!)
  families.set(userAgent, family)
  return family
}
