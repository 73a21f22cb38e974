import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '#tests/harness/ports'
import { commandBlocks } from './command_blocks.js'
import { offerSqlite } from './offer_sqlite.js'
import { RunningProgram, Terminal } from './terminal.js'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * A clone of this checkout's last commit in a directory of its own, outside of the checkout, and
 * somebody who has just opened a terminal there.
 */
export class Clone {
  readonly directory = mkdtempSync(join(tmpdir(), 'latchkey-clone-'))
  readonly path = join(this.directory, 'latchkey')
  readonly env: NodeJS.ProcessEnv
  readonly url: string

  static async make() {
    return new Clone(await freePort())
  }

  private constructor(readonly port: number) {
    execFileSync('git', ['clone', '--quiet', ROOT, this.path])
    const sqlite = offerSqlite(ROOT, join(this.directory, 'prebuilds'))
    this.env = { ...freshEnvironment(), ...sqlite, PORT: String(port) }
    this.url = `http://localhost:${port}`
  }

  openTerminal() {
    return new Terminal({ cwd: this.path, env: this.env })
  }

  /**
   * Starts a command in a terminal of its own.
   */
  start(command: string, env: NodeJS.ProcessEnv = {}) {
    return new RunningProgram(command, { cwd: this.path, env: { ...this.env, ...env } })
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8')
  }

  /**
   * The names of all pages.
   */
  pages(): string[] {
    const listed = execFileSync('git', ['ls-files', '*.md'], { cwd: this.path, encoding: 'utf8' })
    return listed.trim().split('\n')
  }

  blocksOf(page: string) {
    return commandBlocks(page, this.read(page))
  }

  /**
   * A text of a page for the port that this clone serves on.
   */
  onItsPort(text: string): string {
    return text.replaceAll('localhost:3333', `localhost:${this.port}`)
  }

  remove() {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 })
  }
}

/**
 * Nothing of this test run, of the npm around it, or of the checkout's own packages.
 */
function freshEnvironment(): NodeJS.ProcessEnv {
  const kept = ['HOME', 'USER', 'LANG', 'TMPDIR', 'SHELL', 'http_proxy', 'https_proxy', 'no_proxy']
  const npm = /^npm_config_(registry|cache|userconfig|https?_proxy|noproxy)$|^NODE_EXTRA_CA_CERTS$/i
  const path = (process.env.PATH ?? '').split(delimiter)
  return {
    ...Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => kept.includes(name) || kept.includes(name.toLowerCase()) || npm.test(name)
      )
    ),
    PATH: path.filter((part) => !part.includes('node_modules')).join(delimiter),
  }
}
