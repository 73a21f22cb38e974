import type { Role } from '#models/user'

type DemoUser = { email: string; fullName: string; role: Role; password: string }

/**
 * The users of the quickstart. Everybody can read these passwords, so they are never made in
 * production mode, and the quickstart serves this machine alone.
 */
export const demoUsers: DemoUser[] = [
  {
    email: 'ada@example.com',
    fullName: 'Ada Lovelace',
    role: 'user',
    password: 'correct horse battery staple',
  },
  {
    email: 'admin@example.com',
    fullName: 'Grace Hopper',
    role: 'admin',
    password: 'admiral of the demo fleet',
  },
]
