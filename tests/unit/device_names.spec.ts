import { test } from '@japa/runner'
import { shownDevice } from '#app/devices/device'

const nameOf = (userAgent: string | null, name: string | null = null) =>
  shownDevice({ device: { id: null, name, platform: null }, userAgent }).name

test.group('Device names', () => {
  test('{$i} {1}')
    .with([
      [
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
        'Chrome on Windows',
      ],
      [
        'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
        'Safari on iPhone',
      ],
      [
        'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
        'Chrome on Android',
      ],
      [
        'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
        'Firefox on Linux',
      ],
      ['curl/8.5.0', 'curl'],
      ['MyApp/1.2 CFNetwork/1494 Darwin/23.4.0', 'MyApp'],
    ])
    .run(({ assert }, [userAgent, name]) => {
      assert.equal(nameOf(userAgent), name)
    })

  test('what names nothing gives no name', ({ assert }) => {
    for (const userAgent of [null, '', '(((', '<script>alert(1)</script>', '\u001b[31mred/1']) {
      assert.isNull(nameOf(userAgent))
    }
  })

  test('what the client said stands before the user agent', ({ assert }) => {
    assert.equal(nameOf('curl/8.5.0', 'Build server'), 'Build server')
  })
})
