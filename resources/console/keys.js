import { call } from './api.js'
import { element, handleForm, say, when } from './dom.js'

/**
 * The person's API keys, which outlive their sessions.
 */
export function showKeys(view) {
  const list = view.slot('keys')
  const made = view.slot('key')

  async function refresh() {
    const { data } = await call('GET', '/api/v1/api-keys')
    list.replaceChildren(...data.map(row))
  }

  function row({ id, name, abilities, createdAt }) {
    const remove = element('button', { type: 'button', class: 'danger' }, 'Delete')
    remove.setAttribute('aria-label', `Delete ${name}`)
    remove.addEventListener('click', async () => {
      await call('DELETE', `/api/v1/api-keys/${id}`)
      say(`${name} was deleted.`)
      await refresh()
    })
    return element(
      'li',
      {},
      element(
        'div',
        { class: 'facts' },
        element('h3', {}, name),
        element('p', {}, abilities.join(', ')),
        element('p', {}, 'Created ', when(createdAt))
      ),
      element('div', { class: 'row' }, remove)
    )
  }

  handleForm(view.form('key'), async ({ name }, form) => {
    const { data } = await call('POST', '/api/v1/api-keys', { name })
    form.reset()
    made.replaceChildren('Copy it now, it is shown this once: ', element('code', {}, data.key))
    made.hidden = false
    await refresh()
  })
  void refresh().catch(() => {})
}
