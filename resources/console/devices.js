import { call, forgetTokens, keepTokens } from './api.js'
import { deviceName, element, handleForm, say, show, when } from './dom.js'
import { showKeys } from './keys.js'
import { listen } from './stream.js'

/**
 * "Your devices": the live list of sessions, the password, and the API keys.
 */
export function showDevices({ user, leave }) {
  const view = show('devices')
  const list = view.slot('list')

  async function refresh() {
    const { data } = await call('GET', '/api/v1/sessions')
    list.replaceChildren(...data.map((session) => row(session)))
  }

  function row(session) {
    const name = deviceName(session)
    const item = element('li', {})
    const rename = element('button', { type: 'button' }, 'Rename')
    const out = element('button', { type: 'button', class: 'danger' }, 'Sign out')
    rename.setAttribute('aria-label', `Rename ${name}`)
    out.setAttribute('aria-label', `Sign out ${name}`)
    rename.addEventListener('click', () => edit(item, session))
    out.addEventListener('click', async () => {
      await call('DELETE', `/api/v1/sessions/${session.id}`)
      if (session.current) return leave()
      say(`${name} was signed out.`)
      await refresh()
    })
    item.append(
      element(
        'div',
        { class: 'facts' },
        element(
          'h3',
          {},
          name,
          session.current ? element('span', { class: 'badge' }, 'This device') : null
        ),
        element(
          'p',
          {},
          session.device.platform ?? '',
          session.device.platform ? ' · ' : '',
          session.ip ?? ''
        ),
        element('p', {}, 'Last seen ', when(session.lastSeenAt))
      ),
      element('div', { class: 'row' }, rename, out)
    )
    return item
  }

  function edit(item, session) {
    const name = element('input', {
      name: 'name',
      value: session.device.name ?? '',
      maxLength: 100,
      required: true,
    })
    const form = element(
      'form',
      { class: 'row facts' },
      element('label', { class: 'grow' }, 'Name of the device', name),
      element('button', { class: 'primary' }, 'Save')
    )
    form.addEventListener('submit', async (event) => {
      event.preventDefault()
      await call('PATCH', `/api/v1/sessions/${session.id}`, { name: name.value })
      say('The name was saved.')
      await refresh()
    })
    item.replaceChildren(form)
    name.focus()
  }

  function listenForPassword() {
    /** For password managers, which want to know whose password changes. */
    view.slot('username').value = user.email ?? ''
    handleForm(view.form('password'), async ({ currentPassword, password }, form) => {
      const body = { currentPassword, password }
      const { data } = await call('PUT', '/api/v1/account/password', body)
      keepTokens(data)
      form.reset()
      say('The password was changed. Your other devices were signed out.')
      await refresh()
    })
  }

  view.action('others').addEventListener('click', async () => {
    const { data } = await call('POST', '/api/v1/auth/logout-others')
    say(data.ended === 1 ? 'One device was signed out.' : `${data.ended} devices were signed out.`)
    await refresh()
  })
  view.action('everywhere').addEventListener('click', async () => {
    await call('POST', '/api/v1/auth/logout-all')
    leave()
  })
  if (view.form('password')) listenForPassword()
  showKeys(view)

  const close = listen({
    onEvent({ name, data }) {
      if (name === 'session.ended') {
        forgetTokens()
        leave(data)
      } else if (name === 'session.opened') {
        void refresh()
      }
    },
    onConnection(open) {
      view.slot('live').textContent = open ? 'Live' : 'Connecting again…'
      if (open) void refresh()
    },
  })

  /** Devices that sign out by themselves are no event of this session: look from time to time. */
  const timer = setInterval(() => void refresh().catch(() => {}), 20_000)
  void refresh()
  return () => {
    close()
    clearInterval(timer)
  }
}
