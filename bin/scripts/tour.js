import { demoUsers } from '../../database/demo_users.ts'

const [ada] = demoUsers

/**
 * What the quickstart prints, and the README shows: commands for bash and zsh that need nothing
 * but curl and grep. `before` stands before the commands that need the database. No comments among them: an interactive zsh takes those for commands.
 */
export function tour(address, before = '') {
  return `
Latchkey serves ${address} (Ctrl-C stops it). Its users:

${demoUsers.map(({ email, role, password }) => `    ${email.padEnd(18)} ${role.padEnd(6)} ${password}`).join('\n')}

The tour: paste this into a second terminal, in this directory.

${steps(address, before)
  .map(({ title, command }, index) => `${index + 1}. ${title}\n\n${indented(command)}\n`)
  .join('\n')}`
}

function steps(address, before) {
  return [
    { title: 'Sign in on the phone.', command: signIn(address, 'PHONE', 'Pixel 9', 'android') },
    { title: 'The phone may speak for Ada.', command: account(address, 'PHONE') },
    { title: 'Sign in on the tablet.', command: signIn(address, 'TABLET', 'iPad', 'ios') },
    { title: 'The phone is out at once, and is told why.', command: account(address, 'PHONE') },
    {
      title: 'Force the tablet out from the server.',
      command: `${before}node ace force:logout ${ada.email} --reason="lost phone"`,
    },
    { title: 'The tablet is out as well.', command: account(address, 'TABLET') },
  ]
}

function signIn(address, variable, name, platform) {
  const body = { email: ada.email, password: ada.password, device: { name, platform } }
  return [
    `${variable}=$(curl -s ${address}/api/v1/auth/login -H 'Content-Type: application/json' \\`,
    `  -d '${JSON.stringify(body)}' | grep -o 'oat_[^"]*')`,
    `echo "$${variable}"`,
  ].join('\n')
}

function account(address, variable) {
  return `curl -s ${address}/api/v1/account -H "Authorization: Bearer $${variable}"; echo`
}

function indented(text) {
  return text.replace(/^/gm, '    ')
}
