/** Which imports `npm run lint` refuses: https://github.com/sverweij/dependency-cruiser */
export default {
  forbidden: [
    {
      name: 'no-cycles-between-files',
      severity: 'error',
      comment:
        'Two files that import each other can only be understood, loaded and tested together.',
      from: { path: '^app' },
      to: { circular: true },
    },
    {
      name: 'no-cycles-between-folders',
      severity: 'error',
      comment:
        'A folder of app/ may use another one only if that one does not use it, directly or through others.',
      scope: 'folder',
      from: { path: '^app/[^/]+' },
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    webpackConfig: { fileName: '.dependency-cruiser-resolve.cjs' },
    includeOnly: '^app/',
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
}
