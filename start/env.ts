import { Env } from '@adonisjs/core/env'
import * as rules from '#start/env_rules'

/**
 * The variables that configure the application. Real variables win over `.env`; a wrong value
 * stops the start with one line that names the variable, the value and what is allowed.
 */
async function readEnvironment() {
  const values = await Env.create(new URL('../', import.meta.url), {
    NODE_ENV: rules.oneOf(['development', 'production', 'test'], 'development'),
    PORT: rules.whole(3333, { min: 0, max: 65535 }),
    HOST: rules.text('0.0.0.0'),
    APP_KEY: rules.secret({ min: 32, hint: 'Make one with: node ace generate:key --show' }),
    APP_URL: rules.url(['http:', 'https:']),
    LOG_LEVEL: rules.oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info'),
    TRUST_PROXY: rules.trustProxy(),
    CORS_ORIGINS: rules.text(''),
    SHUTDOWN_TIMEOUT: rules.duration('10s'),

    DB_CONNECTION: rules.optionalOneOf(['sqlite', 'postgres']),
    SQLITE_FILE: rules.text('tmp/latchkey.sqlite3'),
    DATABASE_URL: rules.postgresUrl(),
    DATABASE_DIRECT_URL: rules.postgresUrl(),
    DATABASE_POOLER: rules.oneOf(['none', 'session', 'transaction'], 'none'),

    APP_NAME: rules.text('Latchkey'),
    SIGNUP: rules.oneOf(['open', 'closed'], 'open'),
    PASSWORD_SIGN_IN: rules.oneOf(['on', 'off'], 'on'),
    EMAIL_VERIFICATION: rules.oneOf(['off', 'required'], 'off'),
    RESET_URL: rules.url(['http:', 'https:']),
    EMAIL_CONFIRM_URL: rules.url(['http:', 'https:']),
    SESSION_LIMIT: rules.whole(1, { min: 0, max: 100_000, note: '0 = no limit' }),
    SESSION_ON_LIMIT: rules.oneOf(['evict', 'reject'], 'evict'),
    SESSION_LIMIT_PER_PLATFORM: rules.platformLimits(),
    ACCESS_TOKEN_TTL: rules.duration('1h'),
    REFRESH_TOKEN_TTL: rules.duration('30d', { zero: 'no refresh tokens' }),
    SESSION_IDLE_TIMEOUT: rules.duration('30d'),
    SESSION_SHARED_IDLE: rules.duration('15m'),
    SESSION_MAX_LIFETIME: rules.duration('90d'),
    SESSION_BINDING: rules.oneOf(['none', 'user_agent', 'key'], 'none'),
    SESSION_BINDING_ENDS: rules.oneOf(['true', 'false'], 'false'),
    REFRESH_RETRY_WINDOW: rules.duration('30s', { zero: 'no retry' }),
    SESSION_CONTEST: rules.rateLimit('off'),
    SESSION_CONTEST_COOLDOWN: rules.durationOrOff('off'),
    API_KEY_ABILITIES: rules.abilities('account:read'),

    SMTP_HOST: rules.text(''),
    SMTP_PORT: rules.whole(587, { min: 1, max: 65535 }),
    SMTP_USERNAME: rules.text(''),
    SMTP_PASSWORD: rules.optionalSecret({ min: 1 }),
    SMTP_FROM: rules.text('Latchkey <no-reply@localhost>'),
    NOTIFY_SUPPORT: rules.oneOf(['on', 'off'], 'on'),
    NOTIFY_NEW_DEVICE: rules.oneOf(['on', 'off'], 'on'),

    LEGACY_JWT_SECRET: rules.optionalSecret({ min: 16 }),
    LEGACY_JWT_JWKS: rules.text(''),
    LEGACY_JWT_ISSUER: rules.text(''),
    LEGACY_JWT_AUDIENCE: rules.text(''),
    LEGACY_JWT_ALGORITHMS: rules.jwtAlgorithms('HS256'),
    LEGACY_JWT_USER: rules.optionalOneOf(['email', 'id', 'external']),
    LEGACY_JWT_USER_CLAIM: rules.text('sub'),
    LEGACY_JWT_UNTIL: rules.instant(),
    LEGACY_TOKENS_KIND: rules.optionalOneOf(['adonis', 'sanctum']),
    LEGACY_TOKENS_URL: rules.legacyDatabase(),
    LEGACY_TOKENS_TABLE: rules.tableName(),
    LEGACY_TOKENS_MODEL: rules.text(''),
    LEGACY_TOKENS_USER: rules.optionalOneOf(['id', 'external']),
    LEGACY_TOKENS_MAX_AGE: rules.optionalDuration(),
    LEGACY_TOKENS_UNTIL: rules.instant(),

    LEGACY_LOGIN_URL: rules.url(['https:', 'http:'], { exact: true }),
    LEGACY_LOGIN_SECRET: rules.signingSecret(),
    LEGACY_LOGIN_UNTIL: rules.instant(),

    WEBHOOK_ALLOW_PRIVATE: rules.oneOf(['on', 'off'], 'off'),

    WEB_CONSOLE: rules.oneOf(['on', 'off'], 'on'),
    DOCS: rules.oneOf(['on', 'off'], 'on'),
    METRICS_TOKEN: rules.optionalSecret({ min: 16 }),
    HASH_QUEUE_LIMIT: rules.whole(200, { min: 1, max: 100_000 }),

    RATE_LIMIT_SIGN_IN: rules.rateLimit('10/1m'),
    RATE_LIMIT_SIGN_UP: rules.rateLimit('10/1h'),
    RATE_LIMIT_REFRESH: rules.rateLimit('60/1m'),
    RATE_LIMIT_RESET: rules.rateLimit('5/15m'),
    RATE_LIMIT_INTROSPECT: rules.rateLimit('off'),
  })
  if (values.get('LEGACY_JWT_UNTIL') && !values.get('LEGACY_JWT_USER')) {
    rules.stop(
      'LEGACY_JWT_USER is missing: LEGACY_JWT_UNTIL is set, and nothing says what LEGACY_JWT_USER_CLAIM holds. Allowed: email | id | external.'
    )
  }
  if (values.get('LEGACY_TOKENS_UNTIL')) {
    const missing = Object.entries({
      LEGACY_TOKENS_KIND: 'who made the tokens. Allowed: adonis | sanctum',
      LEGACY_TOKENS_USER: 'what tokenable_id holds. Allowed: id | external',
      LEGACY_TOKENS_MAX_AGE: 'how old a token may be. Allowed: a duration such as 90d',
    } as const).find(([name]) => values.get(name as 'LEGACY_TOKENS_KIND') === null)
    if (missing) {
      rules.stop(
        `${missing[0]} is missing: LEGACY_TOKENS_UNTIL is set, and nothing says ${missing[1]}.`
      )
    }
  }
  const login = ['LEGACY_LOGIN_URL', 'LEGACY_LOGIN_SECRET', 'LEGACY_LOGIN_UNTIL'] as const
  const missing = login.filter((name) => !values.get(name))
  if (missing.length > 0 && missing.length < login.length) {
    const set = login.filter((name) => !missing.includes(name)).join(' and ')
    rules.stop(
      `${missing.join(' and ')} missing: ${set} set. Set all of ${login.join(', ')}, or none.`
    )
  }
  const url = values.get('LEGACY_LOGIN_URL')
  if (url?.startsWith('http:') && values.get('WEBHOOK_ALLOW_PRIVATE') === 'off') {
    rules.stop(
      `LEGACY_LOGIN_URL=${JSON.stringify(url)} is not allowed. Allowed: a URL that starts with https:// (http:// with WEBHOOK_ALLOW_PRIVATE=on, for tests).`
    )
  }
  if (
    values.get('LEGACY_JWT_UNTIL') &&
    !values.get('LEGACY_JWT_SECRET') &&
    !values.get('LEGACY_JWT_JWKS')
  ) {
    rules.stop(
      'LEGACY_JWT_UNTIL is set and nothing says how old tokens are verified. Set LEGACY_JWT_SECRET, or LEGACY_JWT_JWKS, or take LEGACY_JWT_UNTIL away.'
    )
  }
  if (values.get('DB_CONNECTION') === 'postgres' && !values.get('DATABASE_URL')) {
    rules.stop(
      'DATABASE_URL is missing: DB_CONNECTION=postgres is set. Allowed: a postgres:// URL, such as postgres://user:password@host:5432/name.'
    )
  }
  return values
}

const env = await readEnvironment().catch((error) => {
  if (error.code !== 'E_INVALID_ENV_VARIABLES') throw error
  return rules.stop(error.help.replace(/^- /gm, ''))
})

/**
 * Whether the database is PostgreSQL. `DATABASE_URL` alone says so too.
 */
export const usesPostgres =
  (env.get('DB_CONNECTION') ?? (env.get('DATABASE_URL') ? 'postgres' : 'sqlite')) === 'postgres'

export default env
