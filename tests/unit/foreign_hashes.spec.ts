import { execFile } from 'node:child_process'
import { pbkdf2Sync } from 'node:crypto'
import { promisify } from 'node:util'
import { Argon } from '@adonisjs/core/hash/drivers/argon'
import { Bcrypt } from '@adonisjs/core/hash/drivers/bcrypt'
import { Scrypt } from '@adonisjs/core/hash/drivers/scrypt'
import { test } from '@japa/runner'
import bcrypt from 'bcrypt'
import { readHash, refusalOf } from '#app/passwords/foreign_hash'
import { workLeft } from '#app/passwords/passwords'

const PASSWORD = 'correct horse battery staple'

const runFile = promisify(execFile)

/**
 * Other systems that may be on this machine. Each writes a hash a line for its last argument.
 */
const peers = [
  {
    name: 'Python’s bcrypt (python3-bcrypt)',
    program: '/usr/bin/python3',
    script: [
      '-c',
      `import sys, bcrypt
for prefix in (b'2a', b'2b'):
    print(bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(5, prefix=prefix)).decode())`,
    ],
    hashes: 2,
  },
  {
    name: 'Django’s PBKDF2PasswordHasher.encode, line by line (Python’s hashlib)',
    program: '/usr/bin/python3',
    script: [
      '-c',
      `import sys, base64, hashlib
hash = hashlib.pbkdf2_hmac('sha256', sys.argv[1].encode(), 'saltOfDjango'.encode(), 1000, None)
hash = base64.b64encode(hash).decode('ascii').strip()
print("%s$%d$%s$%s" % ('pbkdf2_sha256', 1000, 'saltOfDjango', hash))`,
    ],
    hashes: 1,
  },
  {
    name: 'PHP’s password_hash (php-cli)',
    program: 'php',
    script: ['-r', "echo password_hash($argv[1], PASSWORD_BCRYPT, ['cost' => 5]), PHP_EOL;", '--'],
    hashes: 1,
  },
]

const pbkdf2 = (digest: string, rounds: number) =>
  `$pbkdf2-${digest}$i=${rounds}$c2FsdHNhbHQ$${'A'.repeat(digest === 'sha256' ? 43 : 86)}`
const scrypt = (n: number, r: number, p: number) =>
  `$scrypt$n=${n},r=${r},p=${p}$c2FsdHNhbHQ$${'A'.repeat(86)}`
const argon = (memory: number, passes: number) =>
  `$argon2id$v=19$m=${memory},t=${passes},p=1$c2FsdHNhbHQ$${'A'.repeat(43)}`

function workOf(hashes: string[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { family, work } of hashes.map((hash) => readHash(hash)!)) {
    sums[family] = (sums[family] ?? 0) + work
  }
  return sums
}

/**
 * Hashes as the systems themselves made them.
 */
const vectors = [
  {
    source: 'python3-bcrypt 3.2.2, bcrypt.hashpw(…, bcrypt.gensalt(10))',
    hash: '$2b$10$wEHHDVecG0442rgKo.EbB.5UprkiHLalZZmzg08cPoDY95X2dtUdm',
  },
  {
    source: "python3-bcrypt 3.2.2, bcrypt.gensalt(6, prefix=b'2a')",
    hash: '$2a$06$4A0e/JliKKPEhuk/vv5/numpEFQmD83wLIX.94e4FnmErNRR79xeW',
  },
  {
    source: "crypt(3) of Debian 12 (libxcrypt), setting '$2y$06$abcdefghijklmnopqrstuu'",
    hash: '$2y$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K',
  },
  {
    source: 'python3-bcrypt 3.2.2, characters beyond ASCII',
    password: 'pässwörd €🔑',
    hash: '$2b$05$5OW8OkOZVOiMdtfJpBYfi.smKv7HZJkC4UF1vgsiRzYmSw7R9JkNK',
  },
  {
    source: 'https://github.com/firebase/scrypt, README, the example of its own',
    password: 'user1password',
    hash: '$firebase-scrypt$ln=14,r=8,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  },
  {
    source:
      "Django's PBKDF2PasswordHasher, which is hashlib.pbkdf2_hmac('sha256', password, salt, 600000) of Python 3.11",
    hash: 'pbkdf2_sha256$600000$8IkiZ1GpE4tPs9wYwMBXbe$jo7tvSHw09xK37ZqHzr7VUcx0vpCxzPNw4P625y9BfE=',
  },
  {
    source: 'the tests of the Argon2 reference implementation (test.c, version 0x13)',
    password: 'password',
    hash: '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  },
  {
    source: 'the tests of the Argon2 reference implementation (test.c, version 0x10)',
    password: 'password',
    hash: '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ',
  },
  {
    source: 'the tests of the Argon2 reference implementation (test.c, Argon2id)',
    password: 'password',
    hash: '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  },
]

test.group('Hashes of other systems', (group) => {
  group.tap((one) => one.timeout(60_000))

  test('{source}')
    .with(vectors)
    .run(async ({ assert }, { hash, password = PASSWORD }) => {
      assert.isUndefined(refusalOf(hash))
      const read = readHash(hash)!
      assert.isTrue(await read.verify(password))
      assert.isFalse(await read.verify(`${password} `))
      assert.isFalse(await read.verify(''))
    })

  test('AdonisJS’ own {name}')
    .with([
      { name: 'argon', driver: new Argon({}) },
      { name: 'bcrypt', driver: new Bcrypt({ rounds: 10 }) },
      { name: 'scrypt', driver: new Scrypt({}) },
    ])
    .run(async ({ assert }, { driver }) => {
      for (const password of [PASSWORD, 'pässwörd €🔑']) {
        const read = readHash(await driver.make(password))!
        assert.isTrue(await read.verify(password))
        assert.isFalse(await read.verify('another password'))
      }
    })

  test('{name}, asked now')
    .with(peers)
    .run(async ({ assert }, { name, program, script, hashes }) => {
      for (const password of [PASSWORD, 'x'.repeat(72), 'pässwörd €🔑']) {
        const made = await runFile(program, [...script, password]).catch(() => null)
        if (!made) return console.log(`      ${name} is not installed: skipped`)
        const lines = made.stdout.trim().split('\n')
        assert.lengthOf(lines, hashes)
        for (const line of lines) {
          assert.isUndefined(refusalOf(line), line)
          assert.isTrue(await readHash(line)!.verify(password), line)
          assert.isFalse(await readHash(line)!.verify(password.slice(1)), line)
        }
      }
    })

  test('PBKDF2 in the PHC string format', async ({ assert }) => {
    for (const [digest, length] of [
      ['sha256', 32],
      ['sha512', 64],
      ['sha512', 100],
    ] as const) {
      const salt = Buffer.from('a salt of the other system')
      const key = pbkdf2Sync(PASSWORD, salt, 1000, length, digest)
      const [one, two] = [salt, key].map((data) => data.toString('base64').replaceAll('=', ''))
      const read = readHash(`$pbkdf2-${digest}$i=1000$${one}$${two}`)!
      assert.isTrue(await read.verify(PASSWORD))
      assert.isFalse(await read.verify('another password'))
    }
  })

  test('of a password bcrypt reads 72 bytes, and a NUL makes none of it worthless', async ({
    assert,
  }) => {
    const read = readHash('$2b$04$782n4qGaz9W6jeue2I1ehePRjJrFIPuXtftosrl7IZRRqQQn9tOta')!
    assert.isTrue(await read.verify('x'.repeat(72)))
    assert.isTrue(await read.verify('x'.repeat(300)))
    assert.isFalse(await read.verify('x'.repeat(71)))
    assert.isFalse(await read.verify(`${'x'.repeat(72)}\0`))
    const short = readHash(await bcrypt.hash('abc', 4))!
    assert.isTrue(await short.verify('abc'))
    for (const other of ['abc\0', 'abc\0def', '\0', 'ab']) assert.isFalse(await short.verify(other))
  })

  test('{name} is refused: it {why}')
    .with([
      {
        name: 'bcrypt of cost 14',
        hash: '$2b$14$' + '.'.repeat(53),
        why: 'would take more than a second',
      },
      {
        name: 'bcrypt of cost 31',
        hash: '$2b$31$' + '.'.repeat(53),
        why: 'would take more than a second',
      },
      {
        name: 'PBKDF2 of many rounds',
        hash: pbkdf2('sha256', 2_000_001),
        why: 'would take more than a second',
      },
      {
        name: 'PBKDF2-SHA512 of many rounds',
        hash: pbkdf2('sha512', 1_000_001),
        why: 'would take more than a second',
      },
      {
        name: 'scrypt of many blocks',
        hash: scrypt(2 ** 18, 8, 2),
        why: 'would take more than a second',
      },
      {
        name: 'scrypt of much memory',
        hash: scrypt(2 ** 19, 8, 1),
        why: 'would take more than 256 MiB of memory',
      },
      {
        name: 'Argon2 of many passes',
        hash: argon(2 ** 18, 5),
        why: 'would take more than a second',
      },
      {
        name: 'Argon2 of much memory',
        hash: argon(2 ** 18 + 1, 1),
        why: 'would take more than 256 MiB of memory',
      },
      {
        name: '$2x$',
        hash: '$2x$10$' + '.'.repeat(53),
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'bcrypt of cost 3',
        hash: '$2b$03$' + '.'.repeat(53),
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'a bcrypt hash that is cut off',
        hash: '$2b$10$' + '.'.repeat(52),
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'scrypt with an odd cost',
        hash: scrypt(2 ** 14 + 1, 8, 1),
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'scrypt without blocks',
        hash: scrypt(2 ** 14, 0, 1),
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'Argon2 with too little memory',
        hash: argon(4, 1),
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'MD5',
        hash: '5f4dcc3b5aa765d61d8327deb882cf99',
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'a password',
        hash: 'correct horse battery staple',
        why: 'is not a hash in one of the known forms',
      },
      {
        name: 'a text that is too long',
        hash: `${pbkdf2('sha256', 1)}${'A'.repeat(512)}`,
        why: 'is not a hash in one of the known forms',
      },
    ])
    .run(({ assert }, { hash, why }) => assert.equal(refusalOf(hash), why))

  test('what costs just a second is taken', ({ assert }) => {
    for (const hash of [
      '$2b$13$' + '.'.repeat(53),
      pbkdf2('sha256', 2_000_000),
      pbkdf2('sha512', 1_000_000),
      scrypt(2 ** 18, 8, 1),
      argon(2 ** 18, 4),
    ]) {
      assert.isUndefined(refusalOf(hash))
    }
  })

  test('whatever hash there is, an attempt that fails does as much work', ({ assert }) => {
    const native = argon(19_456, 2)
    const here = ['$2b$12$' + '.'.repeat(53), pbkdf2('sha256', 600_000), scrypt(2 ** 15, 8, 1)]
    const decoys = [native, ...here.flatMap((hash) => readHash(hash)!.decoys(readHash(hash)!.work))]
    const whole = workOf([native, ...here])
    for (const hash of [
      null,
      native,
      ...here,
      '$2b$04$' + '.'.repeat(53),
      '$2a$10$' + '.'.repeat(53),
      pbkdf2('sha256', 1000),
      scrypt(2 ** 14, 8, 1),
      scrypt(2 ** 13, 8, 4),
    ]) {
      assert.deepEqual(workOf([...(hash ? [hash] : []), ...workLeft(hash, decoys)]), whole)
    }
    const older = workOf([argon(8192, 2), ...workLeft(argon(8192, 2), decoys)])
    assert.closeTo(older.argon2, whole.argon2, whole.argon2 / 10)
  })

  test('a decoy is nobody’s hash', async ({ assert }) => {
    for (const { hash, password = PASSWORD } of vectors) {
      const read = readHash(hash)!
      const decoys = read.decoys(read.work)
      assert.equal(workOf(decoys)[read.family], read.work)
      for (const decoy of decoys) assert.isFalse(await readHash(decoy)!.verify(password))
    }
  })
})
