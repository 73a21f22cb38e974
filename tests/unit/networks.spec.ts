import { test } from '@japa/runner'
import { networkOf } from '#app/network'

test.group('Networks', () => {
  test('{0} counts for {1}')
    .with([
      ['192.0.2.7', '192.0.2.7'],
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['::FFFF:192.0.2.7', '192.0.2.7'],
      ['::ffff:c000:207', '192.0.2.7'],
      ['0:0:0:0:0:ffff:c000:0207', '192.0.2.7'],
      ['2001:db8::1', '2001:db8:0:0::/64'],
      ['2001:0DB8:0000:0000:ffff:ffff:ffff:ffff', '2001:db8:0:0::/64'],
      ['2001:db8:0:1::1', '2001:db8:0:1::/64'],
      ['2001:db8:1:2:3:4:192.0.2.7', '2001:db8:1:2::/64'],
      ['fe80::1%eth0', 'fe80:0:0:0::/64'],
      ['::1', '0:0:0:0::/64'],
      ['', ''],
    ] as const)
    .run(({ assert }, [ip, network]) => {
      assert.equal(networkOf(ip), network)
    })
})
