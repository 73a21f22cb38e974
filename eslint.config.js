import { configApp } from '@adonisjs/eslint-config'

export default configApp(
  { ignores: ['clients/*/build/**'] },
  {
    name: 'Tests read one field of an answer',
    files: ['tests/**/*.ts'],
    rules: { '@unicorn/no-await-expression-member': 'off' },
  },
  {
    name: 'One way into a transaction',
    files: ['app/**/*.ts', 'commands/**/*.ts'],
    ignores: ['app/database/transaction.ts', 'app/database/internals.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.property.name='transaction']",
          message: 'Use inTransaction (#app/database/transaction), which says when a COMMIT fails.',
        },
      ],
    },
  }
)
