import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './root.js'

const DIRECTORY = join(ROOT, 'tmp')
const FILE = join(DIRECTORY, 'ready.lock')

/**
 * Runs the work while no other script of this checkout is inside: two that start at once on a
 * fresh clone install, build and migrate once, one after the other. The lock is a file with the
 * holder's process id, so that one who was killed leaves nobody waiting.
 */
export async function withLock(work) {
  let told = false
  while (!take()) {
    if (!told) console.error('Waiting for another script of this directory to finish preparing.')
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const release = () => rmSync(FILE, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    release()
    process.off('exit', release)
  }
}

function take() {
  mkdirSync(DIRECTORY, { recursive: true })
  try {
    writeFileSync(FILE, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isAbandoned()) rmSync(FILE, { force: true })
    return false
  }
}

/**
 * An empty file was made this instant and gets its process id next.
 */
function isAbandoned() {
  let holder = ''
  try {
    holder = readFileSync(FILE, 'utf8')
    if (holder !== '') process.kill(Number(holder), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH' && holder !== ''
  }
}
