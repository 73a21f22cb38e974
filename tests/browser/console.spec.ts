import { readFile } from 'node:fs/promises'
import { test } from '@japa/runner'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { noBrowser, startBrowser } from '#tests/harness/browser'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { within } from '#tests/harness/pace'

const home = () => `http://${process.env.HOST}:${process.env.PORT}/`

test.group('Console', (group) => {
  let browser: Browser

  group.tap((one) => {
    if (noBrowser) one.skip(true, noBrowser)
    one.timeout(30_000)
  })
  group.setup(async () => {
    if (!noBrowser) browser = await startBrowser()
    return async () => {
      await browser?.close()
    }
  })
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const policy = { ...sessionsConfig }
    return () => {
      Object.assign(sessionsConfig, policy)
    }
  })

  /**
   * A person with a browser of their own.
   */
  async function visitor(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    await page.goto(home())
    return page
  }

  async function signIn(page: Page, email: string, device: string) {
    await page.getByLabel('E-mail').fill(email)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByLabel('Name of this device (optional)').fill(device)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Your devices' }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
  }

  test('the first browser says within a second that the second took over', async ({ assert }) => {
    const user = await makeUser()
    const [first, second] = [await visitor(), await visitor()]
    await signIn(first, user.email, 'Laptop')

    await second.getByLabel('E-mail').fill(user.email)
    await second.getByLabel('Password').fill(PASSWORD)
    await second.getByLabel('Name of this device (optional)').fill('Phone')
    await second.getByRole('button', { name: 'Sign in' }).click()
    await second.getByRole('heading', { name: 'Your devices' }).waitFor()
    await first
      .getByRole('heading', { name: 'You were signed out' })
      .waitFor({ timeout: within(1000) })

    const notice = await first.getByRole('alert').innerText()
    assert.include(notice, 'Phone')
    await first.getByRole('button', { name: 'Sign in again' }).click()
    await first.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('a force logout says so within a second, without reloading', async ({ assert }) => {
    const user = await makeUser()
    const page = await visitor()
    await signIn(page, user.email, 'Laptop')
    await forceLogout({ who: [user], actor: 'command:test', note: 'lost phone' })
    await page
      .getByRole('heading', { name: 'You were signed out' })
      .waitFor({ timeout: within(1000) })
    const notice = await page.getByRole('alert').innerText()
    assert.include(notice, 'administrator')
    assert.notInclude(notice, 'lost phone')
  })

  test('who could not be signed out is told so, and stays signed in', async () => {
    const user = await makeUser()
    const page = await visitor()
    await signIn(page, user.email, 'Laptop')
    const unavailable = {
      status: 503,
      json: { errors: [{ code: 'E_UNAVAILABLE', message: 'Later' }] },
    }
    await page.route('**/auth/logout', (route) => route.fulfill(unavailable))
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.getByText('You are still signed in').waitFor()
    await page.getByRole('heading', { name: 'Your devices' }).waitFor()
    await page.unroute('**/auth/logout')
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('the list shows another device at once, renames it and signs it out', async () => {
    sessionsConfig.limit = 0
    const user = await makeUser()
    const [laptop, phone] = [await visitor(), await visitor()]
    await signIn(laptop, user.email, 'Laptop')
    await signIn(phone, user.email, 'Phone')

    await laptop.getByRole('button', { name: 'Rename Phone' }).click()
    await laptop.getByLabel('Name of the device').fill('<b>Work</b> phone')
    await laptop.getByRole('button', { name: 'Save' }).click()
    await laptop.getByRole('button', { name: 'Sign out <b>Work</b> phone' }).click()
    await phone.getByRole('heading', { name: 'You were signed out' }).waitFor()
  })

  test('where newcomers are refused, the person chooses which device to give up', async () => {
    sessionsConfig.onLimit = 'reject'
    const user = await makeUser()
    const [laptop, phone] = [await visitor(), await visitor()]
    await signIn(laptop, user.email, 'Laptop')

    await phone.getByLabel('E-mail').fill(user.email)
    await phone.getByLabel('Password').fill(PASSWORD)
    await phone.getByRole('button', { name: 'Sign in' }).click()
    await phone.getByRole('checkbox', { name: /Laptop/ }).check()
    await phone.getByRole('button', { name: 'Sign out the chosen and sign in here' }).click()
    await phone.getByRole('heading', { name: 'Your devices' }).waitFor()
    await laptop.getByRole('heading', { name: 'You were signed out' }).waitFor()
  })

  test('an admin forces everyone out, behind a typed confirmation', async ({ assert }) => {
    const [user, admin] = [await makeUser(), await makeUser({ role: 'admin' })]
    const [page, desk] = [await visitor(), await visitor()]
    await signIn(page, user.email, 'Laptop')
    await signIn(desk, admin.email, 'Desk')
    await desk.getByRole('button', { name: 'Admin' }).click()
    await desk.getByRole('button', { name: `Sessions of ${user.email}` }).click()
    await desk.getByRole('button', { name: 'End the session on Laptop' }).waitFor()

    const everyone = desk.getByRole('button', { name: 'Force everyone out' })
    await everyone.click()
    await desk.getByText('Type “everyone out” to confirm.').waitFor()
    await desk.getByLabel('Type everyone out to confirm').fill('everyone out')
    await everyone.click()
    await page.getByRole('heading', { name: 'You were signed out' }).waitFor()
    assert.include(await page.getByRole('alert').innerText(), 'administrator')
  })

  test('the token stands in no cookie and no URL, and goes with the tab', async ({ assert }) => {
    const user = await makeUser()
    const page = await visitor()
    await signIn(page, user.email, 'Laptop')
    assert.deepEqual(await page.context().cookies(), [])
    assert.equal(page.url(), home())
    const kept: string = await page.evaluate('JSON.stringify({ ...localStorage })')
    assert.notMatch(kept, /o[ar]t_/)
    await page.reload()
    await page.getByRole('heading', { name: 'Your devices' }).waitFor()
  })

  test('a key wants the password when the sign-in is old, and the session lives on', async ({
    assert,
    cleanup,
  }) => {
    cleanup(() => clock.restore())
    const user = await makeUser()
    const page = await visitor()
    await signIn(page, user.email, 'Laptop')
    clock.freeze(new Date(Date.now() + 11 * 60_000))
    const dialog = page.getByRole('dialog', { name: 'Is it you?' })
    const create = async (name: string) => {
      await page.getByLabel('Name of the key').fill(name)
      await page.getByRole('button', { name: 'Create API key' }).click()
    }

    await create('Export')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Nothing was changed').waitFor()

    await create('Export')
    await dialog.getByLabel('Your password').fill('wrong')
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await dialog.getByText('Wrong e-mail or password.').waitFor()
    await dialog.getByLabel('Your password').fill(PASSWORD)
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('oak_').waitFor()
    assert.equal(await countRows('api_tokens', { type: 'api_key' }), 1)

    await page.getByRole('button', { name: 'Delete Export' }).click()
    await page.getByText('Export was deleted.').waitFor()
    assert.equal(await countRows('api_tokens', { type: 'api_key' }), 0)
  })

  test('a keyboard is enough to sign in', async () => {
    const user = await makeUser()
    const page = await visitor()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.type(user.email)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Your devices' }).waitFor()
  })

  test('an accessibility checker finds nothing serious, {$self}')
    .with(['light', 'dark'] as const)
    .run(async ({ assert }, colorScheme) => {
      const axe = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
      const admin = await makeUser({ role: 'admin' })
      const page = await visitor({
        colorScheme,
        viewport: { width: 390, height: 844 },
        bypassCSP: true,
      })
      const findings = async () => {
        await page.evaluate(axe)
        const found: any = await page.evaluate('axe.run()')
        return found.violations
          .filter(({ impact }: any) => ['serious', 'critical'].includes(impact))
          .map(({ id, nodes }: any) => `${id}: ${nodes[0].html}`)
      }
      assert.deepEqual(await findings(), [], 'signed out')
      await page.getByRole('button', { name: 'Sign up' }).click()
      assert.deepEqual(await findings(), [], 'sign-up')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await signIn(page, admin.email, 'Phone')
      assert.deepEqual(await findings(), [], 'devices')
      await page.getByRole('button', { name: 'Admin' }).click()
      await page.getByRole('cell', { name: 'session.opened' }).first().waitFor()
      assert.deepEqual(await findings(), [], 'admin')
      await forceLogout({ who: [admin], actor: 'command:test' })
      await page.getByRole('button', { name: 'Your devices' }).click()
      await page.getByRole('heading', { name: 'You were signed out' }).waitFor()
      assert.deepEqual(await findings(), [], 'ended')
    })
})
