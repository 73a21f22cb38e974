import env from '#start/env'
import app from '@adonisjs/core/services/app'
import { defineConfig, destination } from '@adonisjs/core/logger'

/**
 * Standard error, so that `--json` has standard output to itself: JSON lines in production and
 * wherever no terminal is attached, readable lines elsewhere.
 */
async function standardError() {
  if (app.inProduction || !process.stderr.isTTY) return destination(2)
  const { default: pretty } = await import('pino-pretty')
  return pretty({ destination: 2, sync: true })
}

const loggerConfig = defineConfig({
  default: 'app',

  loggers: {
    app: {
      enabled: true,
      name: 'latchkey',
      level: env.get('LOG_LEVEL'),
      destination: await standardError(),
    },
  },
})

export default loggerConfig

/**
 * Inferring types for the list of loggers you have configured
 * in your application.
 */
declare module '@adonisjs/core/types' {
  export interface LoggersList extends InferLoggers<typeof loggerConfig> {}
}
