import { gzipSync, deflateSync, brotliCompressSync } from 'node:zlib'

/**
 * Stands in every secret that the generator makes up: wherever it turns up later, something let a
 * secret out.
 */
export const MARKER = 'Hush8f3aQ'

/**
 * Values of JSON, as they stand in a body, that parsers, validators or databases stumble over.
 */
export const JSON_VALUES: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1e308', '1e400', '-1e400', '9007199254740993'],
  ...[
    '123456789012345678901234567890',
    '0.1e-400',
    '""',
    '" "',
    '[]',
    '{}',
    '[[]]',
    '[{}]',
    '[null]',
  ],
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\ufeff"',
    '"\\u202e"',
    '"\\u2028"',
  ],
  ...[
    '"é"',
    '"e\u0301"',
    '"😀"',
    '"İ"',
    '"ß"',
    '"../../etc/passwd"',
    `"' OR 1=1 --"`,
    '"%00"',
    '"\\r\\nX: y"',
  ],
  ...[
    '"${7*7}"',
    '"{{7*7}}"',
    '"<script>alert(1)</script>"',
    '"__proto__"',
    '"constructor"',
    '"toString"',
  ],
  ...['{"__proto__":{"isAdmin":true}}', '{"constructor":{"prototype":{"isAdmin":true}}}'],
  ...['{"toString":1,"valueOf":2,"length":-1}', '{"then":"x"}', '{"toJSON":{}}', '{"$gt":""}'],
  ...['"2026-13-45T99:99:99Z"', '"Infinity"', '"NaN"', '"1e9"', '"0x10"', '"٣"', '"true"'],
  `"${MARKER}"`,
  `["${MARKER}","${MARKER}"]`,
  `{"name":{"name":{"name":{"name":"${MARKER}"}}}}`,
  `"${'a'.repeat(300)}"`,
  `"${'a'.repeat(5_000)}"`,
  `"${'é'.repeat(20_000)}"`,
  `[${Array.from({ length: 2_000 }, (_, index) => index).join(',')}]`,
  `{${Array.from({ length: 500 }, (_, index) => `"k${index}":${index}`).join(',')}}`,
]

/**
 * Whole bodies that are no JSON object, or one that hurts.
 */
export const BODIES: readonly (string | Buffer)[] = [
  ...[
    '',
    ' ',
    'null',
    'true',
    '12',
    '"text"',
    '[',
    '{',
    '}',
    '{"a":',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
  ],
  ...[
    '[]',
    '[1,2]',
    '[{}]',
    '{}',
    '{"a":1}{"b":2}',
    '{"a":NaN}',
    '{"a":0x10}',
    '{"a":.5}',
    '{"a":01}',
  ],
  ...['// comment\n{}', '{"a":"\t"}', '{"a":"\n"}', '\ufeff{}', 'undefined', '<xml/>', 'a=1&b=2'],
  ...['{"__proto__":null}', '{"__proto__":{"email":"a@example.com","password":"x"}}'],
  ...['{"constructor":{"prototype":{"email":"a@example.com"}}}', '{"hasOwnProperty":1}'],
  ...['{"email":"a@example.com","email":["b@example.com"]}', '{"":{"":{"":""}}}'],
  '['.repeat(20_000) + ']'.repeat(20_000),
  '['.repeat(30_000),
  '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
  `{"device":${'{"device":'.repeat(5_000)}{}${'}'.repeat(5_000)}}`,
  `{"a":"${'x'.repeat(70_000)}"}`,
  `{"a":"${'x'.repeat(65_000)}"}`,
  `{"password":"${MARKER}","token":"${MARKER}","refreshToken":"${MARKER}","jwt":"${MARKER}"`,
  Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
  Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from('{"email":"\xff\xfe@example.com","password":"\xed\xa0\x80"}', 'latin1'),
  Buffer.alloc(2_000),
]

const BOMB = Buffer.alloc(8 * 1024 * 1024, 0x20)

/**
 * Bodies in an encoding; the first ones unpack to eight megabytes.
 */
export const ENCODED: readonly [encoding: string, body: Buffer][] = [
  ['gzip', gzipSync(BOMB)],
  ['deflate', deflateSync(BOMB)],
  ['br', brotliCompressSync(BOMB)],
  ['gzip', gzipSync('{}')],
  ['gzip', Buffer.from('no gzip')],
  ['gzip, gzip', gzipSync(gzipSync('{}'))],
  ['GZIP', gzipSync('{}')],
  ['x-unknown', Buffer.from('{}')],
  ['identity', Buffer.from('{}')],
  ['', Buffer.from('{}')],
]

/**
 * Values of path parameters, as they stand in a URL.
 */
export const PATH_PARTS: readonly string[] = [
  ...[
    '0',
    '-1',
    '1',
    '01',
    '1.0',
    '1e0',
    '+1',
    '%201',
    '1%20',
    '0x1',
    '1e400',
    '99999999999999999999',
  ],
  ...[
    'NaN',
    'null',
    'undefined',
    'true',
    '%00',
    '1%00',
    '%C0%80',
    '%ff',
    '%',
    '%2',
    '%zz',
    '%2e%2e%2f',
  ],
  ...[
    '..',
    '.',
    '..%5c..%5c',
    '%252e%252e',
    'constructor',
    '__proto__',
    'toString',
    "'--",
    '%27%20OR%201=1',
  ],
  ...['%F0%9F%98%80', '%ED%A0%80', '%E2%80%AE', ';a=b', ':id', '*', '{id}', '[]', 'a'.repeat(300)],
  ...[
    '00000000-0000-0000-0000-000000000000',
    '00000000-0000-0000-0000-00000000000G',
    'a%2Fb',
    '%0d%0aX:y',
  ],
  'a'.repeat(12_000),
  '%41'.repeat(3_000),
]

/**
 * Query strings.
 */
export const QUERIES: readonly string[] = [
  ...[
    '',
    '&&&',
    '=',
    '?',
    '?a=1',
    'page=-1',
    'page=0',
    'page=1e9',
    'page=1.5',
    'page=a',
    'page=',
    'page[]=1',
  ],
  ...[
    'page=1&page=2',
    'perPage=0',
    'perPage=999999999',
    'perPage=NaN',
    'page=99999999999999999999',
  ],
  ...[
    'page[__proto__]=1',
    '__proto__[isAdmin]=1',
    'constructor[prototype][a]=1',
    'a[b][c][d][e][f][g]=1',
  ],
  ...[
    'search=%00',
    'search=%25%25_',
    'search=%ff',
    'search=%ED%A0%80',
    'search[]=a&search[]=b',
    'search[a]=b',
  ],
  ...[
    'after=abc',
    'after=-1',
    'after=%00',
    'limit=-1',
    'limit=1e9',
    'wait=-1',
    'wait=abc',
    'wait[]=1',
  ],
  ...[
    'userId=1e400',
    'type=%00',
    'type[]=',
    'reason=x',
    'from=0000-00-00',
    'hasOwnProperty=1',
    'toString=1',
  ],
  `access_token=${MARKER}`,
  `token=${MARKER}&password=${MARKER}&email=${MARKER}%40example.com`,
  `search=${'a'.repeat(5_000)}`,
  Array.from({ length: 1_500 }, (_, index) => `a=${index}`)
    .join('&')
    .slice(0, 9_000),
  `a${'[b]'.repeat(2_000)}=1`,
]

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * A proof of possession with these parts in its header, signed by nobody.
 */
function unsignedProof(jwk: unknown, header: object = {}, signature = 'A'.repeat(86)): string {
  const claims = { jti: MARKER, htm: 'POST', htu: 'http://localhost/', iat: 4_102_444_800 }
  return `${encode({ typ: 'dpop+jwt', alg: 'RS256', jwk, ...header })}.${encode(claims)}.${signature}`
}

const rsa = (modulus: number, e = 'AQAB') => ({ kty: 'RSA', n: 'v'.repeat(modulus), e })
const EC = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }

/**
 * Proofs of possession (DPoP): keys and proofs that are too large, as large as they may be, or none.
 */
export const PROOFS: readonly string[] = [
  unsignedProof(rsa(2_731)),
  unsignedProof(rsa(1_366)),
  unsignedProof(rsa(684)),
  unsignedProof(rsa(683)),
  unsignedProof(rsa(683), {}, 'v'.repeat(683)),
  unsignedProof(rsa(683, 'A'.repeat(7))),
  unsignedProof(rsa(342, '_'.repeat(6)), {}, 'v'.repeat(342)),
  unsignedProof(rsa(1, 'A')),
  unsignedProof({ kty: 'RSA', n: ['v'.repeat(683)], e: {} }),
  unsignedProof({ ...rsa(342), d: 'v'.repeat(342) }),
  unsignedProof(EC, { alg: 'ES256' }),
  unsignedProof({ ...EC, x: 'A'.repeat(900) }, { alg: 'ES256' }),
  unsignedProof({ ...EC, crv: 'P-521' }, { alg: 'ES256' }),
  unsignedProof({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }, { alg: 'EdDSA' }),
  unsignedProof({ kty: 'oct', k: 'A'.repeat(43) }, { alg: 'HS256' }),
  unsignedProof(EC, { alg: 'none' }, ''),
  unsignedProof(EC, { alg: 'ES256', crit: ['b64'], b64: false }),
  unsignedProof(EC, { alg: 'ES256', x5c: Array(200).fill('A'.repeat(8)) }),
  ...[null, 1, 'key', [], {}, { kty: '__proto__' }].map((jwk) => unsignedProof(jwk)),
  encode({ jwk: EC }),
  `${'a'.repeat(1_020)}.${'b'.repeat(1_020)}.c`,
  'a'.repeat(2_049),
  'a'.repeat(12_000),
  '.'.repeat(2_000),
  '..',
]

/**
 * What gateways and strangers write where the address of a client belongs.
 */
export const ADDRESSES: readonly string[] = [
  ...['203.0.113.8', '203.0.113.8:50001', '2001:db8::1', '[2001:db8::1]:443', '[2001:db8::1]'],
  ...['::ffff:203.0.113.8', '::FFFF:cb00:7108', '[::ffff:203.0.113.8]:1', 'fe80::1%eth0'],
  ...['unknown', '_hidden', 'localhost', '', ' ', '-', 'null', 'for=203.0.113.8', '"[::1]:80"'],
  ...['256.256.256.256', '1.2.3', '0x7f000001', '2130706433', '127.1', '::', ':', '[', ']:', '[]'],
  ...['203.0.113.8:99999999', '203.0.113.8:abc', '1:2:3:4:5:6:7:8:9', "'; DROP TABLE users;--"],
  ...['203.0.113.8\t', '\xff\xfe', '٢٠٣.0.113.8', '../../etc', '%00', '<b>', '{}'],
  'a'.repeat(300),
  `${'1'.repeat(300)}.1.1.1`,
  `2001:db8::${'1'.repeat(300)}`,
  Array(60).fill('203.0.113.8').join(', '),
].map((address) => Buffer.from(address).toString('latin1'))

/**
 * Spellings of e-mails that nobody has: normal forms, letters of other scripts, international
 * domains, controls.
 */
export const EMAILS: readonly string[] = [
  ...['nobod\u00e9@example.com', 'nobode\u0301@example.com', 'NOBODY@EXAMPLE.COM'],
  ...['nobody@b\u00fccher.example', 'nobody@bu\u0308cher.example', 'nobody@xn--bcher-kva.example'],
  ...['nobody@XN--BCHER-KVA.example', 'nobody@xn--.example', 'nobody@xn--\u00fc.example'],
  ...['n\u043ebody@example.com', '\uff4eobody@example.com', 'nobody@example\u3002com'],
  ...['nobody@\u212aelvin.example', 'nobody@ex\u00adample.com', 'nobody@\u200bexample.com'],
  ...['no\u0000body@example.com', 'nobody@example.com\r\nBcc: a@example.com', 'no\tbody@a.example'],
  ...['nobody\u202e@example.com', '\ufeffnobody@example.com', 'nobody@example.com\u2028'],
  ...[
    '\ud800@example.com',
    'nobody@\udfff.example',
    '\u0130nobody@example.com',
    'stra\u00dfe@a.example',
  ],
  ...[
    'nobody@[127.0.0.1]',
    'nobody@[IPv6:::1]',
    '"no body"@example.com',
    'a@b@example.com',
    '@',
    '',
  ],
  ...['nobody@example.com.', 'nobody@.example', 'nobody@-a.example', 'nobody@localhost'],
  `${'e\u0301'.repeat(200)}@example.com`,
  `nobody@${'\u00fc'.repeat(300)}.example`,
  `nobody@${'a.'.repeat(200)}example`,
  `n${'\u0301'.repeat(10_000)}@example.com`,
]

/**
 * Lines that are added to the head.
 */
export const HEADER_LINES: readonly string[] = [
  ...[
    'Accept: text/html',
    'Accept: */*;q=abc',
    'Accept: application/vnd.api+json',
    'Accept: \x01',
    'Accept:',
  ],
  ...[
    'Accept-Encoding: gzip;q=9, br',
    'Accept-Language: __proto__',
    'Cookie: a=b; __proto__=1',
    'Cookie: ;;;===',
  ],
  ...[
    'Origin: https://evil.example',
    'Origin: null',
    'Referer: javascript:alert(1)',
    'Range: bytes=0-0',
  ],
  ...[
    'X-Request-Id: ../../etc',
    `X-Request-Id: ${'a'.repeat(300)}`,
    'X-Request-Id: a\x7fb',
    'X-Request-Id:',
  ],
  ...[
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-For: ::ffff:::::',
    'X-Forwarded-For: a, b, c',
    'Forwarded: for=_x',
  ],
  ...[
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: gopher',
    'X-HTTP-Method-Override: DELETE',
  ],
  ...[
    'Host: evil.example',
    'Host:',
    'Host: a b',
    'Host: [::1',
    'Connection: upgrade, close',
    'Upgrade: websocket',
  ],
  ...[
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Expect: 200-ok',
    'TE: trailers',
    'Trailer: Authorization',
  ],
  ...[
    'Content-Length: 5',
    'Content-Length: -1',
    'Content-Length: 1e3',
    'Content-Length: 99999999999999999999',
  ],
  ...['Content-Length: 0', 'Transfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked'],
  ...[
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
    'Bad Header: x',
    ': no name',
    'no colon',
  ],
  ...[
    'X-Null: a\0b',
    'X-Fold: a\r\n b',
    'X-Bare: a\rb',
    'X-8bit: \xff\xfe',
    '__proto__: x',
    'constructor: x',
  ],
  ...[
    'If-None-Match: *',
    'If-Modified-Since: yesterday',
    'Last-Event-ID: \x80',
    'DPoP: a.b.c',
    'DPoP: ',
  ],
  ...[
    'Sec-Fetch-Site: cross-site',
    'Access-Control-Request-Method: DELETE',
    'User-Agent: \xc3\x28',
  ],
  `Authorization: Bearer ${MARKER}`,
  `Authorization: Bearer oat_${MARKER}${'A'.repeat(34)}`,
  `Authorization: DPoP oat_${MARKER}${'A'.repeat(34)}`,
  `Authorization: Basic ${Buffer.from(`client:${MARKER}`).toString('base64')}`,
  `Authorization: Basic ${Buffer.from(`%:${MARKER}%zz`).toString('base64')}`,
  `DPoP: ${MARKER}`,
  `User-Agent: ${'a'.repeat(9_000)}`,
  `X-Large: ${'a'.repeat(20_000)}`,
  Array.from({ length: 90 }, (_, index) => `X-Many-${index}: ${index}`).join('\r\n'),
  Array.from({ length: 300 }, (_, index) => `X-Many-${index}: ${index}`).join('\r\n'),
]

export const CONTENT_TYPES: readonly string[] = [
  ...[
    'application/json; charset=utf-7',
    'application/json; charset="',
    'APPLICATION/JSON',
    'application/json;',
  ],
  ...[
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'text/plain',
  ],
  ...[
    'application/xml',
    'application/vnd.api+json',
    'json',
    '',
    ';',
    'application/json, text/plain',
    '__proto__',
  ],
]

export const METHODS: readonly string[] = [
  ...[
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'PURGE',
    'QUERY',
  ],
  ...['get', 'NONSENSE', 'CONNECT', 'M-SEARCH', 'G\0T', ''],
]

/**
 * What is no request of HTTP/1.1 at all.
 */
export const GARBAGE: readonly Buffer[] = [
  '\r\n\r\n\r\n\r\n',
  'GET\r\n\r\n',
  'GET /\r\n\r\n',
  'GET / HTTP/0.9\r\n\r\n',
  'GET / HTTP/1.1\nHost: a\n\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/9.9\r\nHost: a\r\n\r\n',
  'GET  /  HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://evil.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET http:// HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET //evil.example/%2e%2e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET /\\..\\ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n',
  `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}',
  'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
  'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}',
  `POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\x00'.repeat(500),
  'SSH-2.0-OpenSSH_9.9\r\n',
].map((text) => Buffer.from(text, 'latin1'))
