import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

type Where = { cwd: string; env: NodeJS.ProcessEnv }

/**
 * A bash into which texts are pasted, one after another: variables and the directory stay.
 */
export class Terminal {
  #bash: ChildProcess
  #output = ''

  constructor({ cwd, env }: Where) {
    this.#bash = spawn('bash', ['--noprofile', '--norc'], { cwd, env, stdio: 'pipe' })
    this.#bash.stdout!.setEncoding('utf8').on('data', (chunk) => (this.#output += chunk))
    this.#bash.stdin!.on('error', () => {})
    this.#type(`exec 2>&1; set -o pipefail; trap 'echo "(exit code $?) $BASH_COMMAND"' ERR`)
  }

  /**
   * What the text prints. `answers` is typed into whatever reads from the terminal. Throws when
   * one of its commands, in whatever place, has another exit code than 0, and when it does not end
   * within five minutes.
   */
  async paste(text: string, answers = ''): Promise<string> {
    const start = this.#output.length
    const end = `--- end of ${start}`
    this.#type(`{\n${text}\n} <<'ANSWERS'\n${answers}\nANSWERS\necho '${end}'`)
    const deadline = Date.now() + 5 * 60_000
    while (!this.#output.endsWith(`${end}\n`)) {
      const printed = this.#output.slice(start)
      if (this.#bash.exitCode !== null) throw new Error(`The terminal ended:\n${text}\n${printed}`)
      if (Date.now() > deadline) throw new Error(`It does not end:\n${text}\n${printed}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const printed = this.#output.slice(start, -end.length - 1).trim()
    if (/^\(exit code \d+\) /m.test(printed)) throw new Error(`This failed:\n${text}\n${printed}`)
    return printed
  }

  /**
   * Gives variables their values, as the reader of a page does who is told what they stand for.
   */
  async set(variables: Record<string, string>) {
    for (const [name, value] of Object.entries(variables)) {
      await this.paste(`${name}='${value.replaceAll("'", `'\\''`)}'`)
    }
  }

  async close() {
    if (this.#bash.exitCode !== null) return
    const closed = once(this.#bash, 'close')
    this.#bash.stdin!.end('exit\n')
    await closed
  }

  #type(line: string) {
    this.#bash.stdin!.write(`${line}\n`)
  }
}

/**
 * A command that goes on until Ctrl-C, in a terminal of its own with no standard input. It ends
 * with this process at the latest.
 */
export class RunningProgram {
  #child: ChildProcess
  #closed: Promise<unknown>
  #output = ''
  #kill = () => process.kill(-this.#child.pid!, 'SIGINT')

  constructor(command: string, { cwd, env }: Where) {
    this.#child = spawn('bash', ['--noprofile', '--norc', '-c', command], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout!.setEncoding('utf8').on('data', (chunk) => (this.#output += chunk))
    this.#child.stderr!.setEncoding('utf8').on('data', (chunk) => (this.#output += chunk))
    process.once('exit', this.#kill)
    this.#closed = once(this.#child, 'close').then(() => process.off('exit', this.#kill))
  }

  get output() {
    return this.#output
  }

  /**
   * Waits for the condition. Throws when the program ends before, or after so many milliseconds.
   */
  async until(condition: () => boolean | Promise<boolean>, patience: number) {
    const deadline = Date.now() + patience
    while (!(await condition())) {
      if (this.#hasEnded()) {
        await this.#closed
        throw new Error(`The program ended:\n${this.#output}`)
      }
      if (Date.now() > deadline) throw new Error(`It did not happen:\n${this.#output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /**
   * The exit code, once it has ended by itself.
   */
  async ended(): Promise<number | null> {
    await this.#closed
    return this.#child.exitCode
  }

  /**
   * Presses Ctrl-C: all its processes get the signal.
   */
  async interrupt(): Promise<number | null> {
    if (!this.#hasEnded()) this.#kill()
    return this.ended()
  }

  #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}
