import { AssertionError } from 'node:assert'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { openApiDocument } from '#app/openapi/document'

type Answer = { method: string; path: string; status: number; type: string; body: unknown }

const DOCUMENT = 'latchkey'
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(openApiDocument, DOCUMENT)

const routes = Object.entries(openApiDocument.paths).map(([pattern, operations]) => ({
  pattern,
  operations: operations as Record<string, { responses: Record<string, any> }>,
  expression: new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
}))
const validators = new Map<string, ValidateFunction>()

/**
 * Holds an answer against the document: its status must be named for the route, its type must be
 * the one named, and its body must have exactly the fields that the schema names. What no route
 * serves (404) and parts that the document leaves out are passed over.
 */
export function checkAnswer({ method, path, status, type, body }: Answer): void {
  const route = routes.find(({ expression }) => expression.test(path))
  const operation = route?.operations[method.toLowerCase()]
  if (!route || !operation) return

  const where = `${method} ${route.pattern} → ${status}`
  const described = operation.responses[status]
  if (!described) throw new AssertionError({ message: `${where} is not in the OpenAPI document` })
  if (!described.content) return

  const [mediaType] = Object.keys(described.content)
  if (!type.startsWith(mediaType)) {
    throw new AssertionError({ message: `${where} has the type ${type}, not ${mediaType}` })
  }
  if (mediaType !== 'application/json') return

  const validate = validatorOf(route.pattern, method.toLowerCase(), status)
  if (!validate(body)) {
    const faults = ajv.errorsText(validate.errors, { separator: '\n' })
    throw new AssertionError({
      message: `${where} does not fit the OpenAPI document:\n${faults}\n${JSON.stringify(body)}`,
    })
  }
}

function validatorOf(pattern: string, method: string, status: number): ValidateFunction {
  const key = `${method} ${pattern} ${status}`
  let validate = validators.get(key)
  if (!validate) {
    const pointer = [
      ...['paths', pattern, method, 'responses', String(status)],
      ...['content', 'application/json', 'schema'],
    ]
    const escaped = pointer.map((part) =>
      encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
    )
    validate = ajv.compile({ $ref: `${DOCUMENT}#/${escaped.join('/')}` })
    validators.set(key, validate)
  }
  return validate
}
