import { cliHelpers } from '@adonisjs/core/ace'
import { escapeText } from '#app/terminal/escape'

/**
 * A column: its heading, and how narrow it may get when the terminal is.
 */
export type Column = { heading: string; least?: number }

const GAP = '  '

/**
 * A table that fits `width` columns of a terminal: the widest columns give way first, and what does
 * not fit ends in `…`. Without a width nothing is cut. Every cell is escaped.
 */
export function renderTable(columns: Column[], rows: string[][], width?: number): string[] {
  const lines = [columns.map((column) => column.heading), ...rows].map((cells) =>
    cells.map(escapeText)
  )
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index]))))
  if (width !== undefined) shrink(widths, columns, width - GAP.length * (columns.length - 1))

  const cut = columns.map((_, index) => {
    const cells = lines.map((line) => line[index])
    const short = cliHelpers.truncate(cells, { maxWidth: widths[index] })
    return cliHelpers.justify(short, { maxWidth: widths[index] })
  })
  return lines.map((_, row) =>
    cut
      .map((cells) => cells[row])
      .join(GAP)
      .trimEnd()
  )
}

/**
 * Columns that a text takes, by the table's own measure: what is missing to a known width.
 */
function widthOf(text: string): number {
  const room = text.length * 2 + 1
  const [padded] = cliHelpers.justify([text], { maxWidth: room })
  return room - (padded.length - text.length)
}

function shrink(widths: number[], columns: Column[], room: number) {
  const least = (index: number) => Math.min(columns[index].least ?? 4, widths[index])
  for (;;) {
    const excess = widths.reduce((sum, one) => sum + one, 0) - room
    if (excess <= 0) return
    const shrinkable = widths.map((one, index) => (one > least(index) ? one : 0))
    const widest = shrinkable.indexOf(Math.max(...shrinkable))
    if (shrinkable[widest] === 0) return
    widths[widest]--
  }
}
