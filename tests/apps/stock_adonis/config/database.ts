import { defineConfig } from '@adonisjs/lucid'

export default defineConfig({
  connection: 'sqlite',
  connections: {
    sqlite: {
      client: 'sqlite3',
      connection: { filename: process.env.DB_FILE! },
      useNullAsDefault: true,
    },
  },
})
