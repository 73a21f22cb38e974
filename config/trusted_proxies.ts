import { BlockList, isIP } from 'node:net'
import env from '#start/env'

const NAMED: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Whether `TRUST_PROXY` names an address, which is one as `readAddress` spells it.
 */
export function trustOf(setting: boolean | string): (address: string) => boolean {
  if (typeof setting === 'boolean') return () => setting
  const list = new BlockList()
  for (const range of setting.split(',').flatMap((entry) => NAMED[entry] ?? [entry])) {
    const [address, prefix] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/**
 * Which peers may speak for the client's address and the request that they pass on.
 */
const trustedProxies = { trusts: trustOf(env.get('TRUST_PROXY')) }

export default trustedProxies
