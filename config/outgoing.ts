import env from '#start/env'

/**
 * Requests that the application makes to URLs that somebody named: over HTTPS to public addresses alone,
 * unless `WEBHOOK_ALLOW_PRIVATE=on` also lets them go over plain HTTP and into private networks.
 */
const outgoingConfig = {
  allowPrivate: env.get('WEBHOOK_ALLOW_PRIVATE') === 'on',
}

export default outgoingConfig
