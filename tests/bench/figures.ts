/**
 * What several runs of one measurement gave.
 */
export type Figure = { median: number; min: number; max: number; runs: number[] }

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? sorted[Math.floor(middle)]
    : (sorted[middle - 1] + sorted[middle]) / 2
}

export function figure(runs: number[]): Figure {
  return { median: median(runs), min: Math.min(...runs), max: Math.max(...runs), runs }
}

/**
 * `14,210 (13,900–14,600)`
 */
export function spread({ median: middle, min, max }: Figure, digits = 0): string {
  const say = (value: number) => number(value, digits)
  return `${say(middle)} (${say(min)}–${say(max)})`
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/**
 * A Markdown table, aligned for people: the first column left, the others right.
 */
export function table(header: string[], lines: string[][]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...lines.map((line) => line[column].length))
  )
  const row = (cells: string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [row(header), rule, ...lines.map(row)].join('\n')
}
