/*
|--------------------------------------------------------------------------
| Reading paths
|--------------------------------------------------------------------------
|
| node --import=@poppinss/ts-exec bin/scripts/reading_paths.ts [--json] [--lines] [--root DIR]
|
| Counts the files of app/ that a reader opens to follow one thing through the
| code. It begins at the entries below and goes from reference to reference, as
| "go to definition" does: into the declaration that a name leads to, never into
| the rest of its file. The path is the one that succeeds: where it is left for a
| refusal, or for plumbing that every application has, the reader goes on. `--root`
| is another checkout, to compare. `--lines` counts the files and lines of app/ instead.
|
*/

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import ts from 'typescript'

/**
 * Where each path begins: at what the framework calls, for no reference of ours leads there. An
 * entry is a function, a constant or `Class.member`, wherever in app/ it stands. Where the name
 * stands in several files, `folder/file.ts:name` says which, from app/ on.
 */
const PATHS: { name: string; title: string; entries: string[] }[] = [
  {
    name: 'token',
    title: 'one bearer token, from route to answer',
    entries: ['AuthMiddleware.handle', 'ApiGuard.check', 'AccountController.show'],
  },
  {
    name: 'sign-in',
    title: "one sign-in, from route to the other device's event stream",
    entries: [
      'LoginController.store',
      /**
       * The commit calls whoever listens, which leads here. The log is read, and the streams hear.
       */
      'EventTail.#look',
      'SessionStreams.#heard',
    ],
  },
]

/**
 * Folders and files of app/ that a reader passes by: what is counted, described or said when it
 * fails, and plumbing (connections, queues, models, the clock). Older layouts named them otherwise.
 */
const PASSED_BY = [
  ...['metrics/', 'openapi/', 'exceptions/', 'models/', 'database/', 'background/'],
  ...['clock.ts', 'bounded_cache.ts', 'http/base_transformer.ts'],
  ...['database_connections/', 'background_queue.ts', 'auth/coalescer.ts'],
  ...['auth/lookup_statement.ts', 'sessions/sql.ts', 'sessions/batches.ts', 'rate_limits/line.ts'],
  ...['accounts/hash_queue.ts', 'rate_limits/ledger_store.ts'],
]

/**
 * Where the path is left: an ended, expired or bound token is explained or refused, an API key is
 * no token of a session, a proof of possession belongs to clients that send one. In older layouts
 * too.
 */
const LEFT_AT = new Set([
  ...['explainMissing', 'checkSession', 'judgeApiKey', 'keyLastUsed', 'demandHolder'],
  ...['KeyProofMiddleware.handle', 'demandProof', 'demandUserAgent', 'endedTokens'],
  ...['explainCutoff', 'explainKeyCutoff', 'limitReached', 'noticeNewDevice', 'strengthen'],
])

/**
 * What classes of the framework call of those that extend them though they don't declare it.
 */
const CALLED_BY_NAME: Record<string, string[]> = { BaseTransformer: ['toObject'] }

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    lines: { type: 'boolean', default: false },
    root: { type: 'string', default: fileURLToPath(new URL('../../', import.meta.url)) },
  },
})

const ROOT = resolve(options.root)
const APP = join(ROOT, 'app')

type Opened = { file: string; symbols: string[]; from: string | null }

/**
 * What a reader looks at in one go: a function, a constant, one member of a class, or the head of a
 * class.
 */
type Unit = ts.Node

class Codebase {
  readonly #checker: ts.TypeChecker
  readonly #files: ts.SourceFile[]
  readonly #passedBy: string[]

  constructor() {
    this.#passedBy = PASSED_BY.map((path) => join(APP, path))
    const program = readProgram()
    this.#checker = program.getTypeChecker()
    this.#files = program
      .getSourceFiles()
      .filter(({ fileName }) => isWithin(fileName, APP))
      .sort((a, b) => (a.fileName < b.fileName ? -1 : 1))
  }

  /**
   * The files that are opened from these entries, in the order in which that happens.
   */
  follow(entries: string[]): Opened[] {
    const files = new Map<string, Opened>()
    const seen = new Set<Unit>()

    const open = (unit: Unit, from: string | null) => {
      if (seen.has(unit) || LEFT_AT.has(nameOf(unit))) return
      seen.add(unit)
      const file = relative(ROOT, unit.getSourceFile().fileName)
      const name = nameOf(unit)
      const opened = files.get(file) ?? { file, symbols: [], from }
      files.set(file, opened)
      if (!opened.symbols.includes(name)) opened.symbols.push(name)
      for (const next of this.#referencesOf(unit)) open(next, name)
    }
    for (const unit of entries.flatMap((entry) => this.#find(entry))) open(unit, null)
    return [...files.values()]
  }

  /**
   * The unit that an entry names; a getter and its setter are two.
   */
  #find(entry: string): Unit[] {
    const [name, path] = entry.split(':').reverse()
    const found = this.#files
      .filter(({ fileName }) => path === undefined || relative(APP, fileName) === path)
      .flatMap((file) => unitsOf(file).filter((unit) => nameOf(unit) === name))
    const places = new Set(found.map((unit) => relative(APP, unit.getSourceFile().fileName)))
    if (places.size === 1) return found
    fail(
      found.length === 0
        ? `The entry ${entry} is not in app/. Edit PATHS.`
        : `The entry ${entry} stands in several files (${[...places].join(', ')}). Write FILE:${name} in PATHS.`
    )
  }

  /**
   * What a unit leads to, in the order of its text. What the framework calls of its class stands at
   * the end.
   */
  #referencesOf(unit: Unit): Unit[] {
    const symbols: ts.Symbol[] = []
    const walk = (node: ts.Node): void => {
      if (isOnlyType(node)) return
      const symbol = this.#symbolAt(node)
      if (symbol) symbols.push(symbol)
      ts.forEachChild(node, walk)
    }
    for (const part of partsOf(unit)) walk(part)
    const units = symbols.flatMap((symbol) => this.#unitsOf(symbol))
    const owner = ts.isClassDeclaration(unit) ? unit : unit.parent
    if (ts.isClassDeclaration(owner)) units.push(...this.#calledByFramework(owner))
    return units.filter((other) => other !== unit)
  }

  /**
   * The declared thing that a name stands for, past imports and shorthands.
   */
  #symbolAt(node: ts.Node): ts.Symbol | undefined {
    if (!ts.isIdentifier(node) && !ts.isPrivateIdentifier(node)) return
    const { parent } = node
    let symbol = this.#checker.getSymbolAtLocation(node)
    if (ts.isShorthandPropertyAssignment(parent)) {
      symbol = this.#checker.getShorthandAssignmentValueSymbol(parent)
    } else if (ts.isBindingElement(parent) && ts.isObjectBindingPattern(parent.parent)) {
      symbol = this.#destructured(parent, node) ?? symbol
    }
    if (symbol && symbol.flags & ts.SymbolFlags.Alias) {
      return this.#checker.getAliasedSymbol(symbol)
    }
    return symbol
  }

  /**
   * The member that `{ node }` or `{ node: name }` takes out of an object.
   */
  #destructured(element: ts.BindingElement, node: ts.Node): ts.Symbol | undefined {
    const taken = element.propertyName ?? element.name
    if (taken !== node || element.dotDotDotToken) return
    return this.#checker.getTypeAtLocation(element.parent).getProperty(node.getText())
  }

  /**
   * Where a value is declared in app/. Of a member that an interface or a base class declares, that
   * is in every class that has one of its own, for a reader can't tell which it will be.
   */
  #unitsOf(symbol: ts.Symbol): Unit[] {
    return (symbol.declarations ?? []).flatMap((declaration) => {
      if (ts.isSourceFile(declaration) || !this.#isRead(declaration)) return []
      const unit = unitAround(declaration)
      const own = unit && isValue(declaration) ? [unit] : []
      return [...own, ...this.#implementations(declaration)]
    })
  }

  #isRead(node: ts.Node): boolean {
    const { fileName } = node.getSourceFile()
    return isWithin(fileName, APP) && !this.#passedBy.some((folder) => fileName.startsWith(folder))
  }

  #implementations(declaration: ts.Declaration): Unit[] {
    const owner = declaration.parent
    if (!ts.isInterfaceDeclaration(owner) && !ts.isClassDeclaration(owner)) return []
    const name = ts.getNameOfDeclaration(declaration)
    if (!name || ts.isPrivateIdentifier(name)) return []
    const type = this.#checker.getSymbolAtLocation(owner.name!)
    return this.#files
      .filter((file) => this.#isRead(file))
      .flatMap((file) => file.statements.filter(ts.isClassDeclaration))
      .filter((candidate) => candidate !== owner && this.#ancestorsOf(candidate).has(type!))
      .flatMap((candidate) => candidate.members)
      .filter((member) => member.name?.getText() === name.getText() && isValue(member))
  }

  /**
   * The classes and interfaces of a class's heritage, direct or not.
   */
  #ancestorsOf(node: ts.ClassDeclaration | ts.InterfaceDeclaration): Set<ts.Symbol> {
    const ancestors = new Set<ts.Symbol>()
    for (const { types } of node.heritageClauses ?? []) {
      for (const { expression } of types) {
        const symbol = this.#symbolAt(expression)
        if (!symbol) continue
        ancestors.add(symbol)
        for (const declaration of symbol.declarations ?? []) {
          if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) {
            continue
          }
          for (const further of this.#ancestorsOf(declaration)) ancestors.add(further)
        }
      }
    }
    return ancestors
  }

  /**
   * The members of a class that stand in place of those of a class outside app/: that one calls
   * them. What only implements an interface of the framework is none of these, and has to be an
   * entry where it is called on the path.
   */
  #calledByFramework(owner: ts.ClassDeclaration): Unit[] {
    const base = owner.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)
      ?.types[0].expression
    if (!base) return []
    const constructed = this.#checker.getTypeAtLocation(base)
    const instances = this.#checker.getBaseTypes(
      this.#checker.getTypeAtLocation(owner) as ts.InterfaceType
    )
    const ancestors = [...this.#ancestorsOf(owner)]
    const called = new Set(ancestors.flatMap(({ name }) => CALLED_BY_NAME[name] ?? []))
    return owner.members.filter((member) => {
      if (!member.name || !isValue(member)) return false
      const name = member.name.getText()
      if (called.has(name)) return true
      const isStatic = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static
      return (isStatic ? [constructed] : instances).some((type) =>
        type
          .getProperty(name)
          ?.declarations?.some(({ parent }) => !isWithin(parent.getSourceFile().fileName, APP))
      )
    })
  }
}

/**
 * The application as the compiler sees it, without its tests.
 */
function readProgram(): ts.Program {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(ROOT, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => fail(String(messageText)),
    }
  )!
  const files = config.fileNames.filter((name) => !isWithin(name, join(ROOT, 'tests')))
  return ts.createProgram(files, config.options)
}

function isWithin(file: string, folder: string): boolean {
  return file.startsWith(`${folder}/`)
}

/**
 * Nodes that are gone when the program runs. What a class extends is a value.
 */
function isOnlyType(node: ts.Node): boolean {
  if (ts.isExpressionWithTypeArguments(node)) return false
  if (ts.isHeritageClause(node)) return node.token === ts.SyntaxKind.ImplementsKeyword
  return (
    ts.isTypeNode(node) ||
    ts.isTypeParameterDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node)
  )
}

/**
 * Whether a declaration has something to read when the program runs. A field without a value of its
 * own has not.
 */
function isValue(node: ts.Node): boolean {
  if (ts.isPropertyDeclaration(node)) return node.initializer !== undefined
  if (ts.isFunctionLike(node)) return 'body' in node && node.body !== undefined
  return (
    ts.isClassDeclaration(node) ||
    ts.isVariableDeclaration(node) ||
    ts.isBindingElement(node) ||
    ts.isEnumDeclaration(node) ||
    ts.isEnumMember(node) ||
    ts.isPropertyAssignment(node) ||
    ts.isShorthandPropertyAssignment(node) ||
    ts.isExportAssignment(node)
  )
}

/**
 * The units of a file, in the order of its text.
 */
function unitsOf(file: ts.SourceFile): Unit[] {
  return file.statements.flatMap((statement): Unit[] => {
    if (ts.isVariableStatement(statement)) return [...statement.declarationList.declarations]
    if (ts.isClassDeclaration(statement)) {
      return [statement, ...statement.members.filter((member) => isValue(member))]
    }
    const isUnit =
      ts.isFunctionDeclaration(statement) ||
      ts.isEnumDeclaration(statement) ||
      ts.isExportAssignment(statement)
    return isUnit && isValue(statement) ? [statement] : []
  })
}

/**
 * The unit that a declaration stands in, which is the one that a reader who looks for it sees. A
 * constructor is in the head of its class.
 */
function unitAround(declaration: ts.Node): Unit | undefined {
  const ancestors = [declaration]
  while (!ts.isSourceFile(ancestors.at(-1)!)) ancestors.push(ancestors.at(-1)!.parent)
  const units = new Set(unitsOf(ancestors.at(-1) as ts.SourceFile))
  const unit = ancestors.find((node) => units.has(node))
  return unit && ts.isConstructorDeclaration(unit) ? unit.parent : unit
}

/**
 * What is read of a unit. Of a class that is what runs when it is made and when an instance is: its
 * decorators and heritage, its constructor and its fields.
 */
function partsOf(unit: Unit): ts.Node[] {
  if (!ts.isClassDeclaration(unit)) return [unit]
  const members = unit.members.filter(
    (member) =>
      ts.isConstructorDeclaration(member) ||
      ts.isPropertyDeclaration(member) ||
      ts.isClassStaticBlockDeclaration(member)
  )
  return [...(unit.modifiers ?? []), ...(unit.heritageClauses ?? []), ...members]
}

function nameOf(unit: Unit): string {
  if (ts.isExportAssignment(unit)) return 'default'
  const name = ts.getNameOfDeclaration(unit as ts.Declaration)?.getText()
  if (!ts.isClassElement(unit)) return name ?? 'default'
  const owner = unit.parent as ts.ClassDeclaration
  return `${owner.name?.text ?? 'default'}.${name ?? 'constructor'}`
}

/**
 * Every file of app/ and its lines, as `wc -l` counts them.
 */
function countLines(): { files: number; lines: number } {
  const files = readdirSync(APP, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile()
  )
  const lines = files.map(
    (file) => readFileSync(join(file.parentPath, file.name), 'utf8').split('\n').length - 1
  )
  return { files: files.length, lines: lines.reduce((sum, count) => sum + count, 0) }
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}

if (options.lines) {
  const counted = countLines()
  console.log(
    options.json ? JSON.stringify(counted) : `app/: ${counted.files} files, ${counted.lines} lines`
  )
} else {
  const codebase = new Codebase()
  const paths = PATHS.map((path) => {
    const opened = codebase.follow(path.entries)
    return { ...path, count: opened.length, opened }
  })
  if (options.json) console.log(JSON.stringify(paths, null, 2))
  else for (const { title, count, opened } of paths) print(title, count, opened)
}

function print(title: string, count: number, opened: Opened[]) {
  console.log(`${title}: ${count} files`)
  for (const [index, { file, symbols, from }] of opened.entries()) {
    const because = from === null ? '' : `  (from ${from})`
    console.log(`${String(index + 1).padStart(4)}  ${file}  ${symbols.join(', ')}${because}`)
  }
  console.log()
}
