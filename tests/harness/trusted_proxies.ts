import trustedProxies, { trustOf } from '#config/trusted_proxies'

/**
 * Puts a `TRUST_PROXY` in force. Returns what puts the old one back.
 */
export function trustProxies(setting: boolean | string): () => void {
  const before = trustedProxies.trusts
  trustedProxies.trusts = trustOf(setting)
  return () => {
    trustedProxies.trusts = before
  }
}
