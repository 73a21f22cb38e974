import { defineConfig } from '@adonisjs/core/bodyparser'

/**
 * JSON everywhere, forms on the OAuth routes (the media type middleware refuses them elsewhere),
 * nothing else: a multipart body can end the process of this parser.
 */
const bodyParserConfig = defineConfig({
  allowedMethods: ['POST', 'PUT', 'PATCH', 'DELETE'],

  form: {
    limit: '32kb',
    convertEmptyStringsToNull: false,
    trimWhitespaces: false,
    types: ['application/x-www-form-urlencoded'],
  },

  /**
   * Trimming would change passwords; validators trim what wants it.
   */
  json: {
    limit: '64kb',
    convertEmptyStringsToNull: false,
    trimWhitespaces: false,
    types: ['application/json'],
  },

  raw: { types: [] },
  multipart: { types: [], autoProcess: false },
})

export default bodyParserConfig
