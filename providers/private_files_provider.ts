import { isAbsolute } from 'node:path'
import type { ApplicationService } from '@adonisjs/core/types'

/**
 * Says at start which files with secrets or people's data others on this machine may read.
 */
export default class PrivateFilesProvider {
  constructor(protected app: ApplicationService) {}

  async ready() {
    const { default: env } = await import('#start/env')
    const { readableByOthers } = await import('#app/database/private_files')
    const files = [this.app.makePath('.env')]
    if (process.env.ENV_PATH) files.push(`${process.env.ENV_PATH}/.env`)
    if (env.get('DB_CONNECTION') === 'sqlite') {
      const named = env.get('SQLITE_FILE')
      const file = isAbsolute(named) ? named : this.app.makePath(named)
      files.push(file, `${file}-wal`, `${file}-shm`)
    }
    const logger = await this.app.container.make('logger')
    for (const file of readableByOthers(files)) {
      logger.warn({ file }, 'Others on this machine may read this file. Mend it with: chmod 600')
    }
  }
}
