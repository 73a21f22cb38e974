/**
 * Builds an element. Text is always set as text, so nothing that a user or a device names can
 * become markup.
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'class') node.className = value
    else if (name.includes('-')) node.setAttribute(name, value)
    else node[name] = value
  }
  node.append(...children.filter((child) => child !== null && child !== undefined))
  return node
}

/**
 * Shows a template as the page's content and puts the focus on its heading, so that a screen
 * reader says where one is. Gives the functions to reach into it.
 */
export function show(id) {
  const main = document.getElementById('main')
  main.replaceChildren(document.getElementById(id).content.cloneNode(true))
  main.querySelector('h1')?.focus()
  return {
    id,
    slot: (name) => main.querySelector(`[data-slot="${name}"]`),
    form: (name) => main.querySelector(`[data-form="${name}"]`),
    action: (name) => main.querySelector(`[data-action="${name}"]`),
    on: (name, handler) => {
      for (const node of main.querySelectorAll(`[data-go="${name}"]`)) {
        node.addEventListener('click', handler)
      }
    },
  }
}

/**
 * Runs a form's work with its buttons at rest, and shows what went wrong beside its fields.
 */
export function handleForm(form, work) {
  const error = form.querySelector('[data-slot="error"]')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const buttons = form.querySelectorAll('button')
    for (const button of buttons) button.disabled = true
    if (error) error.hidden = true
    try {
      await work(Object.fromEntries(new FormData(form)), form)
    } catch (failure) {
      if (!error) throw failure
      error.textContent = (failure.errors?.map((one) => one.message) ?? [failure.message]).join(' ')
      error.hidden = false
      const field = form.elements[failure.detail?.field]
      ;(field instanceof HTMLElement ? field : form.querySelector('input'))?.focus()
    } finally {
      for (const button of buttons) button.disabled = false
    }
  })
}

let fading

/**
 * Says something in passing, for eyes and for screen readers.
 */
export function say(message) {
  const status = document.getElementById('status')
  status.textContent = message
  clearTimeout(fading)
  fading = setTimeout(() => (status.textContent = ''), 6000)
}

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/**
 * A point in time as the person's own browser writes it.
 */
export function when(instant) {
  return element('time', { dateTime: instant }, format.format(new Date(instant)))
}

/**
 * How a user is named: by e-mail, else by what another system calls them, else by id.
 */
export function userName({ id, email, externalId }) {
  return email ?? externalId ?? `User ${id}`
}

/**
 * The name of a session's device.
 */
export function deviceName({ device, deviceName: shown, userAgent }) {
  return device?.name || shown || userAgent?.slice(0, 60) || 'Unnamed device'
}
