import { failures } from '#app/openapi/failures'
import { anyone, data } from '#app/openapi/operation'
import { object } from '#app/openapi/schemas'
import type { Paths } from '#app/openapi/types'

const tags = ['Running it']

const readiness = object({
  status: { enum: ['ok', 'error'] },
  checks: {
    type: 'array',
    items: object({
      'name': { type: 'string' },
      'status': { enum: ['ok', 'warning', 'error'] },
      'message?': { type: 'string', description: 'What is wrong, and what to do about it' },
    }),
  },
})

/** Health, metrics and this document. */
export const system: Paths = {
  '/health/live': {
    get: {
      operationId: 'isLive',
      summary: 'Whether the process answers',
      tags,
      security: anyone,
      responses: {
        200: data('It does.', object({ status: { const: 'ok' } }), { status: 'ok' }),
        ...failures(),
      },
    },
  },
  '/health/ready': {
    get: {
      operationId: 'isReady',
      summary: 'Whether this node can serve: database, migrations, disk',
      tags,
      security: anyone,
      responses: {
        200: data('It can.', readiness),
        ...failures(),
        503: data('It can not, and why.', readiness),
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'Figures for Prometheus',
      tags,
      security: [{ metrics: [] }],
      responses: {
        200: {
          description: "Prometheus's text format.",
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
        ...failures('E_UNAUTHORIZED_ACCESS', 'E_NOT_FOUND'),
      },
    },
  },
  '/openapi.json': {
    get: {
      operationId: 'getDocument',
      summary: 'This document',
      tags,
      security: anyone,
      responses: {
        200: {
          description: 'The document itself, without a `data` around it.',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
        304: { description: 'The `ETag` of `If-None-Match` is still that of the document.' },
        ...failures(),
      },
    },
  },
}
