import type { Assert } from '@japa/assert'
import { call } from '#tests/harness/http'
import type { Clone } from './clone.js'

/**
 * What a page's reader has at a block.
 */
type Reader = {
  /** Where the quickstart serves. */
  url: string
  /** What the blocks before printed. */
  printed: string[]
}

export type Step = {
  /** How the block begins. */
  begins: string
  /** What the variables stand for that the page tells the reader to have. */
  given?: (reader: Reader) => Promise<Record<string, string>> | Record<string, string>
  /** What is typed when a command asks. */
  answers?: string
  /** Holds what was printed against the text around the block, and its example if there is one. */
  shows: (printed: string, assert: Assert, example?: string) => void
}

/**
 * What the blocks of each page show, in their order.
 */
export const pages: Record<string, Step[]> = {
  'README.md': [
    { begins: 'PHONE=', shows: isToken },
    {
      begins: 'curl -s http://localhost:3333/api/v1/account ',
      shows: (printed, assert) => {
        assert.equal(JSON.parse(printed).data.session.device.name, 'Pixel 9')
      },
    },
    { begins: 'TABLET=', shows: isToken },
    {
      begins: 'curl -s http://localhost:3333/api/v1/account ',
      shows: (printed, assert, example) => {
        const { endedAt, ...error } = JSON.parse(printed).errors[0]
        const { endedAt: exampleTime, ...exampleError } = JSON.parse(example!).errors[0]
        assert.deepEqual(error, exampleError)
        assert.equal(new Date(endedAt).toJSON(), endedAt)
        assert.equal(new Date(exampleTime).toJSON(), exampleTime)
      },
    },
    { begins: 'node ace force:logout ada@example.com', shows: endedOneSession },
    {
      begins: 'curl -s http://localhost:3333/api/v1/account ',
      shows: (printed, assert) => {
        const { code, reason } = JSON.parse(printed).errors[0]
        assert.deepEqual([code, reason], ['E_SESSION_ENDED', 'forced'])
      },
    },
    {
      begins: 'node ace user:create',
      answers: 'the password of the first admin',
      shows: (printed, assert) => assert.include(printed, 'Created the admin root@example.com'),
    },
    {
      begins: 'node ace sessions:list',
      given: async ({ url }) => ({ LAPTOP: await signIn(url, 'ThinkPad') }),
      shows: (printed, assert) => {
        assert.include(printed, 'ThinkPad')
        assert.include(printed, 'admin@example.com: at most 3 sessions.')
        assert.include(printed, 'Would end 0 sessions. Nothing was changed.')
        assert.include(printed, 'ada@example.com is disabled. Ended 1 session ')
        assert.include(printed, 'ada@example.com is enabled.')
        assert.match(printed, /The database was copied to \S+backup\.sqlite3\./)
      },
    },
    {
      begins: 'node ace force:logout --all',
      given: async ({ url }) => ({ LAPTOP: await signIn(url, 'ThinkPad') }),
      shows: (printed, assert, example) => {
        const [cut] = printed.split('\n')
        const [exampleCut] = example!.split('\n')
        assert.equal(withoutNumbers(cut), withoutNumbers(exampleCut))
        assert.include(printed, 'Ended 1 session.')
      },
    },
    {
      begins: 'node ace client:create orders',
      shows: (printed, assert) => assert.match(printed, /^ +secret +\S{20,}$/m),
    },
    {
      begins: 'curl -s http://localhost:3333/oauth/introspect',
      given: async ({ url, printed }) => ({
        ID: /^ +id +(\S+)$/m.exec(printed.at(-1)!)![1],
        SECRET: /^ +secret +(\S+)$/m.exec(printed.at(-1)!)![1],
        TOKEN: await signIn(url, 'ThinkPad'),
      }),
      shows: (printed, assert) => assert.isTrue(JSON.parse(printed).active),
    },
  ],
  'docs/questions.md': [
    {
      begins: 'curl -s http://localhost:3333/api/v1/auth/login',
      given: async ({ url }) => ({ PHONE: await signIn(url, 'Phone') }),
      shows: (printed, assert) => {
        const { endedSessions } = JSON.parse(printed).data
        assert.deepEqual(
          endedSessions.map((session: { device: { name: string } }) => session.device.name),
          ['Phone']
        )
      },
    },
    {
      begins: 'curl -s -X POST http://localhost:3333/api/v1/auth/logout-others',
      given: ({ printed }) => ({ TOKEN: JSON.parse(printed.at(-1)!).data.token }),
      shows: (printed, assert) => assert.deepEqual(JSON.parse(printed).data, { ended: 0 }),
    },
    {
      begins: 'curl -s http://localhost:3333/api/v1/auth/refresh',
      given: ({ printed }) => ({ REFRESH_TOKEN: JSON.parse(printed.at(-2)!).data.refreshToken }),
      shows: (printed, assert) => isToken(JSON.parse(printed).data.token, assert),
    },
    { begins: 'node ace force:logout ada@example.com', shows: endedOneSession },
    {
      begins: 'curl -s http://localhost:3333/api/v1/api-keys',
      given: async ({ url }) => ({ TOKEN: await signIn(url, 'Laptop') }),
      shows: (printed, assert) => assert.match(JSON.parse(printed).data.key, /^oak_/),
    },
  ],
  'docs/support.md': [
    {
      begins: 'curl -s -X POST http://localhost:3333/api/v1/admin/users/',
      given: async ({ url }) => ({
        ADMIN_TOKEN: await signIn(url, 'Desk', 'admin@example.com', 'admiral of the demo fleet'),
      }),
      shows: (printed, assert) => {
        const { session, refreshToken } = JSON.parse(printed).data
        assert.deepEqual([session.kind, refreshToken], ['support', null])
      },
    },
  ],
  'docs/contested.md': [
    {
      begins: 'node ace users:contested',
      shows: (printed, assert) => {
        assert.include(printed, 'No account is contested.')
        assert.include(printed, 'This account is not contested.')
      },
    },
  ],
}

/**
 * Commands that would begin these tests again or take an hour, each with what shows instead that
 * it can be typed like that.
 */
export const shownOtherwise: Record<string, (clone: Clone, command: string) => Promise<void>> = {
  'npm run quickstart': isRunning,
  'npm test': isWhatChecksRun,
  'npm run bench': acceptsItsOptions,
  'npm run bench -- --quick': acceptsItsOptions,
  'npm run bench -- --only=checks': acceptsItsOptions,
  'npm run bench -- --database=sqlite --json figures.json': acceptsItsOptions,
}

async function isRunning({ url }: Clone) {
  const { status } = await fetch(`${url}/health/ready`)
  if (status !== 200) throw new Error(`The quickstart is not ready: ${status}`)
}

async function isWhatChecksRun(clone: Clone, command: string) {
  if (!clone.read('.ci/run').match(new RegExp(`^step .* ${command}$`, 'm'))) {
    throw new Error(`.ci/run does not run ${command}`)
  }
}

/**
 * The benchmark reads its options before anything else, and the last one is wrong.
 */
async function acceptsItsOptions(clone: Clone, command: string) {
  const separator = command.includes(' -- ') ? '' : ' --'
  const program = clone.start(`${command}${separator} --database=none`)
  const code = await program.ended()
  if (code !== 2 || !program.output.endsWith('--database is one of sqlite, postgres.\n')) {
    throw new Error(`${command} does not accept its options:\n${program.output}`)
  }
}

function isToken(printed: string, assert: Assert) {
  assert.match(printed, /^oat_\S+$/)
}

function endedOneSession(printed: string, assert: Assert) {
  assert.match(printed, /^Ended 1 session\.$/m)
}

function withoutNumbers(line: string): string {
  return line.replace(/\d+/g, '0')
}

/**
 * An access token on another device, of Ada where nobody else is named.
 */
async function signIn(
  url: string,
  name: string,
  email = 'ada@example.com',
  password = 'correct horse battery staple'
): Promise<string> {
  const { body } = await call(url, 'POST', '/api/v1/auth/login', {
    body: {
      email,
      password,
      device: { name },
    },
  })
  return body.data.token
}
