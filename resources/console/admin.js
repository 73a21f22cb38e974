import { call } from './api.js'
import { deviceName, element, handleForm, say, show, when, userName } from './dom.js'

/**
 * How often the log is asked for what is new, in milliseconds.
 */
const LOG_EVERY = 1500

/**
 * The admin's side: users and their sessions, everyone out, the log.
 */
export function showAdmin({ leave }) {
  const view = show('admin')
  let selected

  async function find(search) {
    const query = new URLSearchParams({ search })
    const { data } = await call('GET', `/api/v1/admin/users?${query}`)
    view.slot('users').replaceChildren(...data.map(userRow))
    say(data.length === 1 ? 'One user found.' : `${data.length} users found.`)
  }

  function userRow(user) {
    const open = element('button', { type: 'button' }, 'Sessions')
    open.setAttribute('aria-label', `Sessions of ${userName(user)}`)
    open.addEventListener('click', () => select(user))
    return element(
      'li',
      {},
      element(
        'div',
        { class: 'facts' },
        element('h3', {}, userName(user)),
        element(
          'p',
          {},
          [user.fullName, user.role, user.disabledAt ? 'disabled' : ''].filter(Boolean).join(' · ')
        )
      ),
      open
    )
  }

  async function select(user) {
    selected = user
    const { data } = await call('GET', `/api/v1/admin/users/${user.id}/sessions`)
    view.slot('user').hidden = false
    view.slot('user-title').textContent = `Sessions of ${userName(user)}`
    const rows = data.map(sessionRow)
    view
      .slot('user-sessions')
      .replaceChildren(...(rows.length > 0 ? rows : [element('li', {}, 'Nowhere signed in.')]))
    view.slot('user-title').focus()
  }

  function sessionRow(session) {
    const end = element('button', { type: 'button', class: 'danger' }, 'End session')
    end.setAttribute('aria-label', `End the session on ${deviceName(session)}`)
    end.addEventListener('click', async () => {
      await call('DELETE', `/api/v1/admin/sessions/${session.id}`)
      say('The session was ended.')
      await select(selected)
    })
    return element(
      'li',
      {},
      element(
        'div',
        { class: 'facts' },
        element('h3', {}, deviceName(session)),
        element(
          'p',
          {},
          'Last seen ',
          when(session.lastSeenAt),
          session.ip ? ` · ${session.ip}` : ''
        )
      ),
      end
    )
  }

  view.action('user-out').addEventListener('click', async () => {
    const { data } = await call('DELETE', `/api/v1/admin/users/${selected.id}/sessions`)
    say(`${data.ended} sessions of ${userName(selected)} were ended.`)
    await select(selected)
  })
  handleForm(view.form('find'), ({ search }) => find(search))
  handleForm(view.form('everyone'), async ({ reason, confirm }, form) => {
    if (confirm.trim() !== 'everyone out') throw new Error('Type “everyone out” to confirm.')
    await call('POST', '/api/v1/admin/force-logout', { all: true, ...(reason && { reason }) })
    form.reset()
    leave()
  })

  let newest
  async function readLog() {
    const { data } = await call('GET', '/api/v1/admin/events')
    if (data[0]?.id === newest) return
    newest = data[0]?.id
    view
      .slot('events')
      .replaceChildren(
        ...data.map((event) =>
          element(
            'tr',
            {},
            element('td', {}, when(event.occurredAt)),
            element('td', {}, event.type),
            element('td', {}, String(event.userId ?? '')),
            element('td', {}, event.reason ?? ''),
            element('td', {}, event.actor)
          )
        )
      )
  }
  const timer = setInterval(() => void readLog().catch(() => {}), LOG_EVERY)
  void readLog()
  void find('')
  return () => clearInterval(timer)
}
