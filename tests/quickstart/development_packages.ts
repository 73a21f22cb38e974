import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clone } from './clone.js'

type Installed = {
  dev?: boolean
  devOptional?: boolean
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

/**
 * The packages in a server's folder that are there for development: those that npm marks so, and
 * those that the clone lists under `devDependencies` unless another package can't do without them.
 */
export function developmentPackages(server: string, clone: Clone): string[] {
  const lockfile = readFileSync(join(server, 'node_modules/.package-lock.json'), 'utf8')
  const installed: Record<string, Installed> = JSON.parse(lockfile).packages
  const needed = Object.values(installed).flatMap((one) => needs(one))
  const listed = Object.keys(JSON.parse(clone.read('package.json')).devDependencies)
  return [
    ...Object.keys(installed).filter((path) => installed[path].dev || installed[path].devOptional),
    ...listed.filter(
      (name) => existsSync(join(server, 'node_modules', name)) && !needed.includes(name)
    ),
  ]
}

function needs({ dependencies, peerDependencies, peerDependenciesMeta }: Installed): string[] {
  const peers = Object.keys(peerDependencies ?? {})
  return [
    ...Object.keys(dependencies ?? {}),
    ...peers.filter((name) => !peerDependenciesMeta?.[name]?.optional),
  ]
}
