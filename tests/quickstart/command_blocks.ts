export type CommandBlock = {
  /** `README.md:57`, for a failure to point at. */
  place: string
  /** As it stands on the page. */
  text: string
  /** One text each; a line that ends in a backslash goes on in the next. */
  commands: string[]
  /** The next block, when that shows what is printed. */
  example?: string
}

type Fenced = { language: string; line: number; text: string }

/**
 * Languages of fenced blocks that nobody pastes into a terminal. Every other one, also none, holds
 * commands.
 */
const EXAMPLES = ['json', 'text']
const NO_COMMANDS = [
  ...EXAMPLES,
  'caddyfile',
  'http',
  'ini',
  'js',
  'python',
  'go',
  'mermaid',
  'nginx',
  'sql',
  'ts',
  'yaml',
]

/**
 * The fenced blocks of commands on a page written in Markdown, in their order. Throws when a fence
 * is not closed.
 */
export function commandBlocks(page: string, markdown: string): CommandBlock[] {
  const all = fencedBlocks(page, markdown)
  return all.flatMap(({ language, line, text }, index) => {
    if (NO_COMMANDS.includes(language)) return []
    const next = all.at(index + 1)
    const example = next && EXAMPLES.includes(next.language) ? next.text : undefined
    return { place: `${page}:${line}`, text, commands: text.split(/(?<!\\)\n/), example }
  })
}

function fencedBlocks(page: string, markdown: string): Fenced[] {
  const blocks: Fenced[] = []
  let open: { fence: string; language: string; line: number; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, fence, info] = /^ *(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (!open) {
      if (fence) open = { fence, language: info.trim(), line: index + 1, lines: [] }
    } else if (fence === open.fence && info.trim() === '') {
      blocks.push({ ...open, text: open.lines.join('\n').trim() })
      open = undefined
    } else {
      open.lines.push(line)
    }
  }
  if (open) throw new Error(`${page}:${open.line}: this fence is not closed`)
  return blocks
}
