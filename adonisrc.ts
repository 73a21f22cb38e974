import { indexEntities } from '@adonisjs/core'
import { defineConfig } from '@adonisjs/core/app'

export default defineConfig({
  /*
  |--------------------------------------------------------------------------
  | Commands
  |--------------------------------------------------------------------------
  |
  | List of ace commands to register from packages. The application commands
  | will be scanned automatically from the "./commands" directory.
  |
  */
  commands: [() => import('@adonisjs/core/commands'), () => import('@adonisjs/lucid/commands')],

  /*
  |--------------------------------------------------------------------------
  | Service providers
  |--------------------------------------------------------------------------
  |
  | List of service providers to import and register when booting the
  | application
  |
  */
  providers: [
    () => import('@adonisjs/core/providers/app_provider'),
    () => import('@adonisjs/core/providers/hash_provider'),
    {
      file: () => import('@adonisjs/core/providers/repl_provider'),
      environment: ['repl', 'test'],
    },
    () => import('@adonisjs/core/providers/vinejs_provider'),
    () => import('@adonisjs/core/providers/edge_provider'),
    () => import('@adonisjs/lucid/database_provider'),
    () => import('@adonisjs/cors/cors_provider'),
    () => import('@adonisjs/auth/auth_provider'),
    () => import('@adonisjs/mail/mail_provider'),
    () => import('#providers/internals_provider'),
    () => import('#providers/connection_pool_provider'),
    () => import('#providers/api_provider'),
    { file: () => import('#providers/request_auth_provider'), environment: ['web', 'test'] },
    () => import('#providers/last_seen_provider'),
    () => import('#providers/notices_provider'),
    { file: () => import('#providers/decoy_provider'), environment: ['web'] },
    { file: () => import('#providers/maintenance_provider'), environment: ['web'] },
    { file: () => import('#providers/private_files_provider'), environment: ['web'] },
    { file: () => import('#providers/legacy_jwt_provider'), environment: ['web'] },
  ],

  /*
  |--------------------------------------------------------------------------
  | Preloads
  |--------------------------------------------------------------------------
  |
  | List of modules to import before starting the application.
  |
  */
  preloads: [
    () => import('#start/routes'),
    () => import('#start/kernel'),
    () => import('#start/events'),
    { file: () => import('#start/repl'), environment: ['repl', 'test'] },
  ],

  /*
  |--------------------------------------------------------------------------
  | Tests
  |--------------------------------------------------------------------------
  |
  | List of test suites to organize tests by their type. Feel free to remove
  | and add additional suites.
  |
  */
  tests: {
    suites: [
      { name: 'unit', files: ['tests/unit/**/*.spec.{ts,js}'], timeout: 5000 },
      { name: 'contract', files: ['tests/contract/**/*.spec.{ts,js}'], timeout: 15000 },
      { name: 'functional', files: ['tests/functional/**/*.spec.{ts,js}'], timeout: 15000 },
      { name: 'commands', files: ['tests/commands/**/*.spec.{ts,js}'], timeout: 30000 },
      { name: 'browser', files: ['tests/browser/**/*.spec.{ts,js}'], timeout: 30000 },
      { name: 'concurrency', files: ['tests/concurrency/**/*.spec.{ts,js}'], timeout: 60000 },
      { name: 'hostile', files: ['tests/hostile/**/*.spec.{ts,js}'], timeout: 60000 },
      { name: 'outage', files: ['tests/outage/**/*.spec.{ts,js}'], timeout: 60000 },
      { name: 'chaos', files: ['tests/chaos/**/*.spec.{ts,js}'], timeout: 120000 },
      { name: 'quickstart', files: ['tests/quickstart/**/*.spec.{ts,js}'], timeout: 600000 },
    ],
    forceExit: false,
  },

  metaFiles: [{ pattern: 'resources/**/*', reloadServer: false }],

  hooks: {
    init: [indexEntities({ transformers: { enabled: true } })],
    buildFinished: [() => import('./bin/build_finished.js')],
  },
})
