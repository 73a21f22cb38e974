import { call, isSignedIn } from './api.js'
import { handleForm } from './dom.js'

/**
 * Asks for the password once more, for what wants a fresh sign-in. Settles when the session is
 * fresh; fails when the person gives up.
 */
export function confirmPassword() {
  const template = document.getElementById('confirm')
  if (!template) return Promise.reject(new Error('Sign in again: this needs a fresh sign-in.'))
  const dialog = template.content.firstElementChild.cloneNode(true)
  document.body.append(dialog)
  return new Promise((resolve, reject) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      reject(new Error('Nothing was changed: this needs your password.'))
    })
    dialog.querySelector('[data-action="cancel"]').addEventListener('click', () => dialog.close())
    handleForm(dialog.querySelector('form'), async ({ password }) => {
      try {
        await call('POST', '/api/v1/auth/confirm', { password })
      } catch (failure) {
        if (!isSignedIn()) dialog.close()
        throw failure
      }
      resolve()
      dialog.close()
    })
    dialog.showModal()
  })
}
