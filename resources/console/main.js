import { showAdmin } from './admin.js'
import {
  ApiFailure,
  call,
  callOpenly,
  forgetTokens,
  isSignedIn,
  keepTokens,
  onSessionEnded,
  onStaleSignIn,
} from './api.js'
import { confirmPassword } from './confirm.js'
import { showDevices } from './devices.js'
import { deviceName, element, handleForm, say, show, when, userName } from './dom.js'

const DEVICE_KEY = 'latchkey-device'

let close = () => {}

/**
 * This browser's own device id: a sign-in on the same device takes no second place.
 */
function deviceId() {
  let id = localStorage.getItem(DEVICE_KEY)
  if (!id) {
    id = crypto.randomUUID?.() ?? String(Math.random()).slice(2)
    localStorage.setItem(DEVICE_KEY, id)
  }
  return id
}

function open(view) {
  close()
  close = view ?? (() => {})
}

function showNav(user, current) {
  const nav = document.getElementById('nav')
  const who = document.getElementById('who')
  nav.hidden = user?.role !== 'admin'
  who.hidden = !user
  /** Nothing of the person stays in the page (ASVS 14.3.1). */
  nav.replaceChildren()
  who.replaceChildren()
  if (!user) return
  const section = (name, label, go) => {
    const button = element('button', { type: 'button' }, label)
    if (name === current) button.setAttribute('aria-current', 'page')
    button.addEventListener('click', go)
    return button
  }
  nav.replaceChildren(
    section('devices', 'Your devices', () => showSignedIn(user, 'devices')),
    section('admin', 'Admin', () => showSignedIn(user, 'admin'))
  )
  const out = element('button', { type: 'button' }, 'Sign out')
  out.addEventListener('click', async () => {
    try {
      await call('POST', '/api/v1/auth/logout')
      leave()
    } catch {
      /** Ended before: that is shown already. Else the session lives, and nobody is told otherwise. */
      if (isSignedIn()) say('You are still signed in: signing out did not work. Please try again.')
    }
  })
  who.replaceChildren(userName(user), out)
}

function showSignedIn(user, section) {
  open()
  showNav(user, section)
  open(section === 'admin' ? showAdmin({ leave }) : showDevices({ user, leave }))
}

/**
 * Leaves the signed-in part: with what ended the session, or for the sign-in form.
 */
function leave(ended) {
  forgetTokens()
  open()
  showNav(null)
  if (ended) showEnded(ended)
  else showSignIn()
}

function showEnded({ message, endedAt, by }) {
  const view = show('ended')
  view.slot('message').textContent = message ?? 'Please sign in again.'
  if (endedAt) view.slot('time').replaceWith(when(endedAt))
  else view.slot('time').closest('div').hidden = true
  if (by?.name || by?.platform) {
    view.slot('by').textContent = [by.name, by.platform].filter(Boolean).join(', ')
    view.slot('by-row').hidden = false
  }
  view.on('signed-out', showSignIn)
}

async function enter(data) {
  keepTokens(data)
  showSignedIn(data.user, 'devices')
}

function showSignIn() {
  const view = show('signed-out')
  view.on('sign-up', showSignUp)
  const form = view.form('sign-in')
  /** Where passwords sign nobody in, there is none. */
  if (!form) return
  handleForm(form, async ({ email, password, device }) => {
    const body = {
      email,
      password,
      device: { id: deviceId(), name: device || null, platform: 'web' },
    }
    try {
      await enter(await callOpenly('POST', '/api/v1/auth/login', body))
    } catch (failure) {
      if (failure.code === 'E_EMAIL_NOT_VERIFIED') {
        await callOpenly('POST', '/api/v1/auth/email/verify', { email })
        throw new Error('Confirm your e-mail first: open the link of the mail that we sent to it.')
      }
      if (failure.code !== 'E_SESSION_LIMIT_REACHED') throw failure
      showChoice(body, failure.detail)
    }
  })
}

function showChoice(body, { quota, sessions }) {
  const view = show('choose')
  view.slot('quota').textContent =
    `You are signed in on ${quota.used} of ${quota.max} devices. Choose which to sign out.`
  view
    .slot('devices')
    .replaceChildren(
      ...sessions.map((session) =>
        element(
          'label',
          {},
          element('input', { type: 'checkbox', name: 'session', value: session.id }),
          element('span', {}, deviceName(session), ' — last seen ', when(session.lastSeenAt))
        )
      )
    )
  view.on('signed-out', showSignIn)
  handleForm(view.form('choose'), async (_, form) => {
    const endSessions = new FormData(form).getAll('session')
    await enter(await callOpenly('POST', '/api/v1/auth/login', { ...body, endSessions }))
  })
}

function showSignUp() {
  const view = show('sign-up')
  view.on('signed-out', showSignIn)
  handleForm(view.form('sign-up'), async ({ email, password, fullName }) => {
    const device = { id: deviceId(), platform: 'web' }
    const body = { email, password, fullName: fullName || null, device }
    const data = await callOpenly('POST', '/api/v1/auth/signup', body)
    if (data) return enter(data)
    showSignIn()
    say('A mail is on its way. Open its link to confirm your e-mail, then sign in.')
  })
}

/**
 * A link from a mail carries its token behind the `#`, where no server and no log sees it.
 */
function showReset(token) {
  const view = show('reset')
  handleForm(view.form('reset'), async ({ password }) => {
    await callOpenly('POST', '/api/v1/auth/password/reset', { token, password })
    say('The password was set. Please sign in.')
    showSignIn()
  })
}

/**
 * By a button, so that a scanner of mails that opens links confirms nothing.
 */
function showConfirmEmail(token) {
  const view = show('confirm-email')
  handleForm(view.form('confirm-email'), async () => {
    await callOpenly('POST', '/api/v1/auth/email/confirm', { token })
    say('Your e-mail is confirmed.')
    await enterOrSignIn()
  })
}

const LINKS = { '/reset-password': showReset, '/confirm-email': showConfirmEmail }

async function start() {
  onSessionEnded((ended) => leave(ended))
  onStaleSignIn(confirmPassword)
  const [, token] = /^#token=([\w-]+)$/.exec(location.hash) ?? []
  const follow = LINKS[location.pathname]
  if (!token || !follow) return enterOrSignIn()
  history.replaceState(null, '', '/')
  follow(token)
}

async function enterOrSignIn() {
  if (!isSignedIn()) return showSignIn()
  try {
    const { data } = await call('GET', '/api/v1/account')
    showSignedIn(data.user, 'devices')
  } catch (failure) {
    if (failure instanceof ApiFailure && failure.status === 401) return
    showSignIn()
    say('The service can not be reached just now.')
  }
}

void start()
