import type { Operation, Schema } from '#app/openapi/types'

/**
 * Who may call: nobody in particular, a token's holder, or a service client.
 */
export const anyone: Operation['security'] = [{}]
export const bearer: Operation['security'] = [{ bearer: [] }, { dpop: [] }]
export const serviceClient: Operation['security'] = [{ serviceClient: [] }]
export const administrator: Operation['security'] = [...bearer, ...serviceClient]

/**
 * An answer `{ "data": … }`.
 */
export function data(description: string, schema: Schema, example?: unknown): Schema {
  return {
    description,
    headers: REQUEST_ID,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['data'],
          properties: { data: schema },
          additionalProperties: false,
        },
        ...(example !== undefined && { example: { data: example } }),
      },
    },
  }
}

/**
 * A page of a list: `{ "data": […], "meta": … }`.
 */
export function page(description: string, item: Schema): Schema {
  return {
    description,
    headers: REQUEST_ID,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['data', 'meta'],
          properties: {
            data: { type: 'array', items: item },
            meta: { $ref: '#/components/schemas/PageMeta' },
          },
          additionalProperties: false,
        },
      },
    },
  }
}

/**
 * One answer or the other, as the request asks.
 */
export function either(description: string, ...answers: Schema[]): Schema {
  const schemas = answers.map(({ content }: any) => content['application/json'].schema)
  return {
    description,
    headers: REQUEST_ID,
    content: { 'application/json': { schema: { anyOf: schemas } } },
  }
}

/**
 * An answer without a body.
 */
export const empty = (description: string): Schema => ({ description, headers: REQUEST_ID })

/**
 * A JSON body. A property whose name ends in `?` may be absent; others that the document does not
 * name are ignored.
 */
export function body(properties: Record<string, Schema>, example: unknown): Schema {
  const names = Object.keys(properties)
  const required = names.filter((name) => !name.endsWith('?'))
  return {
    required: required.length > 0,
    content: {
      'application/json': {
        schema: {
          type: 'object',
          ...(required.length > 0 && { required }),
          properties: Object.fromEntries(
            names.map((name) => [name.replace(/\?$/, ''), properties[name]])
          ),
        },
        example,
      },
    },
  }
}

/** A parameter in the path. */
export const inPath = (name: string, schema: Schema): Schema => ({
  name,
  in: 'path',
  required: true,
  schema,
})

/** A parameter in the query string. */
export const inQuery = (name: string, description: string, schema: Schema): Schema => ({
  name,
  in: 'query',
  description,
  schema,
})

/** The parameters of every paginated list. */
export const paging: Schema[] = [
  inQuery('page', 'Which page, from 1.', { type: 'integer', minimum: 1, default: 1 }),
  inQuery('perPage', 'Entries on a page.', {
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 20,
  }),
]

const REQUEST_ID = {
  'X-Request-Id': { description: "The request's id, as logs have it.", schema: { type: 'string' } },
}
