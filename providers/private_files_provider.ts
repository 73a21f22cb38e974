import { join, resolve } from 'node:path'
import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Says at start which files with secrets or people's data others on this machine may read.
 */
export default class PrivateFilesProvider {
  constructor(protected app: ApplicationService) {}

  async ready() {
    const { default: env, usesPostgres } = await import('#start/env')
    const { readableByOthers } = await import('#app/database/private_files')
    const directory = resolve(this.app.makePath(), process.env.ENV_PATH ?? '')
    const mode = `.env.${env.get('NODE_ENV')}`
    const files = ['.env', '.env.local', mode, `${mode}.local`].map((name) => join(directory, name))
    if (!usesPostgres) {
      const file = resolve(this.app.makePath(), env.get('SQLITE_FILE'))
      files.push(file, `${file}-wal`, `${file}-shm`)
    }
    const logger = await this.app.container.make('logger')
    for (const file of readableByOthers(files)) {
      logger.warn({ file }, 'Others on this machine may read this file. Mend it with: chmod 600')
    }
  }
}
