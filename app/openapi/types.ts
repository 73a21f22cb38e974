/**
 * A JSON Schema 2020-12, as OpenAPI 3.1 uses it.
 */
export type Schema = Record<string, unknown>

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options'

export type Operation = {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: Schema[]
  requestBody?: Schema
  responses: Record<string, Schema>
}

/**
 * Operations by path and method.
 */
export type Paths = Record<string, Partial<Record<Method, Operation>>>
