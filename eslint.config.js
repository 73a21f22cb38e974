import { configApp } from '@adonisjs/eslint-config'

export default configApp(
  { ignores: ['clients/*/build/**'] },
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
