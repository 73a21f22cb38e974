import type { Assert } from '@japa/assert'
import type { Clone } from './clone.js'
import type { CommandBlock } from './command_blocks.js'
import { pages, shownOtherwise, type Step } from './pages.js'

/**
 * Does what a reader does who pastes each block of a page into one terminal of a clone that serves,
 * and holds what is printed against the page. Throws when a command fails, and when there is a block
 * of which nobody says what it shows.
 */
export async function followPage(clone: Clone, page: string, assert: Assert) {
  const terminal = clone.openTerminal()
  const reader = { url: clone.url, printed: [] as string[] }
  const steps = [...pages[page]]
  try {
    for (const block of clone.blocksOf(page)) {
      const pasted = await withoutShownOtherwise(clone, block)
      if (pasted === '') continue
      const step = stepOf(block, steps.shift())
      if (step.given) await terminal.set(await step.given(reader))
      const printed = await terminal.paste(clone.onItsPort(pasted), step.answers)
      step.shows(printed, assert, block.example)
      reader.printed.push(printed)
    }
  } finally {
    await terminal.close()
  }
  assert.deepEqual(steps, [], `${page} lacks blocks`)
}

async function withoutShownOtherwise(clone: Clone, { commands }: CommandBlock): Promise<string> {
  const pasted: string[] = []
  for (const command of commands) {
    if (Object.hasOwn(shownOtherwise, command)) await shownOtherwise[command](clone, command)
    else pasted.push(command)
  }
  return pasted.join('\n')
}

function stepOf({ place, text }: CommandBlock, step?: Step): Step {
  if (step && text.startsWith(step.begins)) return step
  throw new Error(`${place}: tests/quickstart/pages.ts doesn't say what this shows:\n${text}`)
}
