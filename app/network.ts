import { isIPv6 } from 'node:net'

/**
 * The network that a client's address counts for: an IPv4 address, or the /64 of an IPv6 address,
 * all of which one household or server commands. An IPv4 address in IPv6 clothes
 * (`::ffff:192.0.2.1`) counts as what it is.
 */
export function networkOf(ip: string): string {
  const address = ip.split('%', 1)[0].toLowerCase()
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? []
  if (mapped) return mapped
  if (!isIPv6(address)) return address
  const groups = expand(address)
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff') {
    const bytes = groups.slice(6).flatMap((group) => {
      const number = Number.parseInt(group, 16)
      return [number >> 8, number & 255]
    })
    return bytes.join('.')
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

/**
 * Eight groups without leading zeros.
 */
function expand(address: string): string[] {
  const [head, tail] = address.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(missing).fill('0'), ...right]
}

function groupsOf(part: string): string[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16).toString(16)]
    const [a, b, c, d] = group.split('.').map(Number)
    return [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)]
  })
}
