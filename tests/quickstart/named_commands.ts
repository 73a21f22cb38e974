import type { Clone } from './clone.js'

type Listed = { commandName: string; flags: { flagName: string }[] }

/**
 * Commands of npm itself, besides the scripts of package.json.
 */
const OF_NPM = ['ci', 'init', 'install', 'pack']

/**
 * The commands that the pages of a clone name in their text, and those that begin a row of a table.
 */
export function namedCommands(clone: Clone): string[] {
  return clone.pages().flatMap((page) => {
    const text = clone.read(page).replace(/^ *(`{3,}|~{3,})[^]*?^ *\1$/gm, '')
    const cells = Array.from(text.matchAll(/^\| (.*?) +\|/gm), ([, cell]) => cell)
    return [
      ...codesIn(text).filter((code) => /^(npm|node ace) [a-z]/.test(code)),
      ...codesIn(cells.join(' '))
        .filter((code) => /^[a-z]+:[a-z]+\b/.test(code))
        .map((code) => `node ace ${code}`),
    ]
  })
}

function codesIn(text: string): string[] {
  return Array.from(text.matchAll(/`([^`\n]+)`/g), ([, code]) => code)
}

/**
 * Those of the commands that a clone does not have, or that lack an option that is named.
 */
export async function unknownCommands(clone: Clone, commands: string[]): Promise<string[]> {
  const { scripts } = JSON.parse(clone.read('package.json'))
  const ace = await listAce(clone)
  return commands.filter((command) => {
    const [program, ...words] = command.split(' ')
    if (program === 'npm') {
      const script = words[0] === 'run' ? words[1] : words[0]
      return ![...Object.keys(scripts), ...OF_NPM].includes(script)
    }
    const found = ace.find(({ commandName }) => commandName === words[1])
    const options = Array.from(command.matchAll(/--([a-z-]+)/g), ([, option]) => option)
    const known = found?.flags.map(({ flagName }) => flagName).concat('help')
    return !known || options.some((option) => !known.includes(option))
  })
}

async function listAce(clone: Clone): Promise<Listed[]> {
  const terminal = clone.openTerminal()
  try {
    return JSON.parse(await terminal.paste('node ace list --json'))
  } finally {
    await terminal.close()
  }
}
