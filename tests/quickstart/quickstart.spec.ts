import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { test } from '@japa/runner'
import { SignJWT } from 'jose'
import { call } from '#tests/harness/http'
import { Clone, ROOT } from './clone.js'
import { developmentPackages } from './development_packages.js'
import { followPage } from './follow_page.js'
import { namedCommands, unknownCommands } from './named_commands.js'
import { pages } from './pages.js'
import { RunningProgram, Terminal } from './terminal.js'

/**
 * Minutes of patience, in milliseconds: an installation may compile SQLite where the one offered does not fit.
 */
const PATIENCE = 8 * 60_000

/**
 * From a clone with nothing installed to a production server, as the pages say. Each test goes on
 * where the one before stopped, for there is one installation.
 */
test.group('Quickstart', (group) => {
  let clone: Clone
  let quickstart: RunningProgram

  group.tap((each) => {
    each.timeout(PATIENCE + 60_000)
    if (!existsSync(join(ROOT, '.git'))) each.skip(true, 'This is no clone of a Git repository')
  })
  group.setup(async () => {
    clone = await Clone.make()
    return async () => {
      await quickstart?.interrupt()
      clone.remove()
    }
  })

  const onNode24 = () => [dirname(process.execPath), clone.env.PATH].join(delimiter)
  const untilTour = (program: RunningProgram) =>
    program.until(() => /^6\. .*\n\n.+\n/m.test(program.output), PATIENCE)

  const isReady = (wanted: number) => async () => {
    const answer = await fetch(`${clone.url}/health/ready`).catch(() => undefined)
    return answer?.status === wanted
  }

  test('serves from a clone with nothing installed', async ({ assert }) => {
    assert.isFalse(existsSync(join(clone.path, 'node_modules')))
    assert.isFalse(existsSync(join(clone.path, '.env')))
    quickstart = clone.start(clone.blocksOf('README.md')[0].text)
    await untilTour(quickstart)
  })

  test('prints the tour that the README shows', ({ assert }) => {
    const tour = quickstart.output.slice(quickstart.output.indexOf('The tour:'))
    const steps = tour.split(/^\d\. .*$/m).slice(1)
    assert.lengthOf(steps, 6)
    const shown = clone.blocksOf('README.md').map(({ text }) => clone.onItsPort(text))
    for (const step of steps) assert.include(shown, step.replace(/^ {4}/gm, '').trim())
  })

  test('each block of commands in {$self} runs as written')
    .with(Object.keys(pages))
    .run(({ assert }, page) => followPage(clone, page, assert))

  test('no other page has a block of commands that nobody runs', ({ assert }) => {
    const run = [...Object.keys(pages), 'docs/deployment.md', 'docs/moving_over.md']
    const others = clone.pages().filter((page) => !run.includes(page))
    assert.include(others, 'CONTRIBUTING.md')
    assert.deepEqual(
      others.flatMap((page) => clone.blocksOf(page)),
      []
    )
  })

  test('no block has a comment, which an interactive zsh takes for arguments', ({ assert }) => {
    const blocks = clone.pages().flatMap((page) => clone.blocksOf(page))
    assert.isAbove(blocks.length, 15)
    assert.deepEqual(
      blocks.filter(({ text }) => /(^|\s)#\s/m.test(text)),
      []
    )
  })

  test('every command that a page names exists, with its options', async ({ assert }) => {
    const commands = namedCommands(clone)
    assert.includeMembers(commands, ['npm run bench', 'node ace repl'])
    assert.include(commands.join('\n'), 'node ace database:backup FILE')
    assert.deepEqual(await unknownCommands(clone, commands), [])
  })

  test('runs once at a time, keeps its data, and refuses production mode', async ({ assert }) => {
    const second = clone.start('npm run quickstart')
    assert.equal(await second.ended(), 1)
    assert.include(second.output, `Port ${clone.port} is in use.`)

    await quickstart.interrupt()
    const key = clone.read('.env')
    assert.match(key, /^APP_KEY=\S{32,}$/m)
    assert.equal(statSync(join(clone.path, '.env')).mode & 0o077, 0)

    quickstart = clone.start('npm run quickstart', {
      DB_CONNECTION: 'postgres',
      DATABASE_URL: 'postgres://somebody@127.0.0.1:1/of-another-program',
    })
    await untilTour(quickstart)
    assert.include(quickstart.output, 'DATABASE_URL and DB_CONNECTION are ignored')
    assert.include(quickstart.output, 'DB_CONNECTION=sqlite node ace force:logout')
    assert.notInclude(quickstart.output, 'npm ci')
    assert.equal(clone.read('.env'), key)
    const { status } = await call(clone.url, 'POST', '/api/v1/auth/login', {
      body: { email: 'root@example.com', password: 'the password of the first admin' },
    })
    assert.equal(status, 200)
    await quickstart.interrupt()

    const refused = clone.start('npm run quickstart', { NODE_ENV: 'production' })
    assert.equal(await refused.ended(), 1)
    assert.include(refused.output, 'refuses NODE_ENV=production')
  })

  test('a build has nothing for development, and npm start serves it', async ({
    assert,
    cleanup,
  }) => {
    const builder = new Terminal({ cwd: clone.path, env: { ...clone.env, PATH: onNode24() } })
    cleanup(() => builder.close())
    await builder.paste(clone.blocksOf('docs/deployment.md')[0].text)
    const build = join(clone.path, 'build')
    assert.deepEqual(developmentPackages(build, clone), [])
    assert.isFalse(existsSync(join(build, 'tests')))

    const server = clone.start('npm start')
    cleanup(async () => void (await server.interrupt()))
    await server.until(isReady(200), 30_000)
    assert.isTrue(existsSync(join(clone.path, 'tmp/production.sqlite3')))
  })

  test('a build serves elsewhere in production mode', async ({ assert, cleanup }) => {
    const [, migrate, serve, ...more] = clone.blocksOf('docs/deployment.md')
    assert.deepEqual(more, [])
    const cwd = join(clone.directory, 'server')
    renameSync(join(clone.path, 'build'), cwd)
    const production = {
      cwd,
      env: {
        ...clone.env,
        PATH: onNode24(),
        NODE_ENV: 'production',
        APP_KEY: 'a-key-for-tests-and-nothing-else-0123456789',
        APP_URL: clone.url,
        SQLITE_FILE: join(clone.directory, 'server.sqlite3'),
        LEGACY_JWT_SECRET: 'the old system shared this secret',
        LEGACY_JWT_USER: 'email',
        LEGACY_JWT_UNTIL: '2100-01-31',
      },
    }
    const operator = new Terminal(production)
    cleanup(() => operator.close())
    const server = new RunningProgram(serve.text, production)
    cleanup(async () => void (await server.interrupt()))
    await server.until(isReady(503), 30_000)
    assert.include(await operator.paste(migrate.text), 'Migrated in')
    await server.until(isReady(200), 30_000)

    const reasonFor = async (token: string) => {
      const { body } = await call(clone.url, 'GET', '/api/v1/account', { token })
      return body.errors?.[0].reason ?? 'alive'
    }
    const body = { email: 'ada@example.com', password: 'correct horse battery staple' }
    const phone = await call(clone.url, 'POST', '/api/v1/auth/signup', { body })
    const tablet = await call(clone.url, 'POST', '/api/v1/auth/login', { body })
    assert.equal(await reasonFor(phone.body.data.token), 'superseded')
    assert.equal(await reasonFor(tablet.body.data.token), 'alive')

    const [exchange, importing, ...others] = clone.blocksOf('docs/moving_over.md')
    assert.deepEqual(others, [])
    writeFileSync(join(cwd, 'users.ndjson'), '{"email":"bob@example.com"}\n')
    const imported = await operator.paste(importing.text)
    assert.include(imported, 'would create 1 users')
    assert.include(imported, ': created 1 users')
    const jwt = new SignJWT({ sub: 'ada@example.com' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('90d')
    const secret = new TextEncoder().encode(production.env.LEGACY_JWT_SECRET)
    await operator.set({ JWT: await jwt.sign(secret) })
    const exchanged = JSON.parse(await operator.paste(clone.onItsPort(exchange.text)))
    assert.equal(await reasonFor(exchanged.data.token), 'alive')
    assert.equal(await reasonFor(tablet.body.data.token), 'superseded')

    await operator.paste('node ace force:logout ada@example.com')
    assert.equal(await reasonFor(exchanged.data.token), 'forced')
    assert.match(await operator.paste('node ace generate:key --show'), /APP_KEY = \S{32,}$/)
    assert.equal(await server.interrupt(), 0)
  })
})
