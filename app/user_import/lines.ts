import { parse } from 'csv-parse/sync'

/**
 * Bytes that a line may have.
 */
const LONGEST = 64 * 1024

const NEWLINE = 0x0a

type Fields = Record<string, unknown>

/**
 * A line of a file with something in it, counted from 1: the fields that it holds, or why it can't be
 * read. `end` is how many bytes of the file have been read with it.
 */
export type Line = { number: number; end: number } & ({ fields: Fields } | { refusal: string })

export const FORMATS = ['ndjson', 'csv'] as const
export type Format = (typeof FORMATS)[number]

/**
 * The first line of a CSV file can't be used.
 */
export class WrongHeader extends Error {}

/**
 * Why a line can't be read, in words that quote nothing of it.
 */
class Refusal extends Error {}

/**
 * The lines of a file, one after another, however large it is; blank ones are left out. Each line stands
 * for itself in CSV too, so that a quote which does not end refuses one line and not the rest of the
 * file. Throws `WrongHeader`.
 */
export async function* readLines(
  file: AsyncIterable<Buffer>,
  format: Format,
  columns: readonly string[]
): AsyncGenerator<Line> {
  let header: string[] | undefined
  for await (const { number, end, bytes } of splitLines(file)) {
    let fields: Fields
    try {
      const text = decode(bytes)
      if (text.trim() === '') continue
      if (format === 'csv' && !header) {
        header = readHeader(text, columns)
        continue
      }
      fields = header ? readCsv(text, header) : readJson(text)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (format === 'csv' && !header) throw new WrongHeader(`The first line ${error.message}.`)
      yield { number, end, refusal: error.message }
      continue
    }
    yield { number, end, fields }
  }
}

type Bytes = { number: number; end: number; bytes: Buffer | null }

/**
 * Cuts a file into lines. Of one that is too long nothing is kept: its bytes are null.
 */
async function* splitLines(file: AsyncIterable<Buffer>): AsyncGenerator<Bytes> {
  let number = 1
  let end = 0
  let begun: Buffer[] = []
  let length = 0
  const add = (part: Buffer) => {
    length += part.length
    end += part.length
    if (length <= LONGEST) begun.push(part)
    else begun = []
  }
  const take = (): Bytes => {
    const bytes = length > LONGEST ? null : Buffer.concat(begun)
    begun = []
    length = 0
    return { number: number++, end, bytes }
  }
  for await (const chunk of file) {
    let start = 0
    for (let at; (at = chunk.indexOf(NEWLINE, start)) !== -1; start = at + 1) {
      add(chunk.subarray(start, at))
      end++
      yield take()
    }
    add(chunk.subarray(start))
  }
  if (length > 0) yield take()
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Buffer | null): string {
  if (bytes === null) throw new Refusal('is longer than 64 KiB')
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Refusal('is not UTF-8')
  }
}

function readJson(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refusal('is not JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Refusal('is not a JSON object')
}

function readHeader(text: string, columns: readonly string[]): string[] {
  const names = cellsOf(text).map((name) => name.trim())
  const wrong = names.find((name, index) => !columns.includes(name) || names.indexOf(name) < index)
  if (wrong === undefined) return names
  throw new WrongHeader(
    `The first line must name columns, each once, out of ${columns.join(', ')}: ${JSON.stringify(wrong)} is none, or there twice.`
  )
}

/** An empty cell is none. */
function readCsv(text: string, header: string[]): Fields {
  const cells = cellsOf(text)
  if (cells.length !== header.length) {
    throw new Refusal(`has ${cells.length} cells where the first line has ${header.length}`)
  }
  const given = header.map((name, index) => [name, cells[index]] as const)
  return Object.fromEntries(given.filter(([, cell]) => cell !== ''))
}

function cellsOf(text: string): string[] {
  try {
    const [cells] = parse(text, { relax_column_count: true }) as string[][]
    return cells
  } catch {
    throw new Refusal('is not CSV: a quote is missing, or in the wrong place')
  }
}
