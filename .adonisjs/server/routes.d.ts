import '@adonisjs/core/types/http'

type ParamValue = string | number | bigint | boolean

export type ScannedRoutes = {
  ALL: {
    'auth.exchange.store': { paramsTuple?: []; params?: {} }
    'auth.refresh.store': { paramsTuple?: []; params?: {} }
    'auth.logout.current': { paramsTuple?: []; params?: {} }
    'auth.logout.others': { paramsTuple?: []; params?: {} }
    'auth.logout.all': { paramsTuple?: []; params?: {} }
    'auth.email_confirmations.store': { paramsTuple?: []; params?: {} }
    'auth.email_confirmations.update': { paramsTuple?: []; params?: {} }
    'auth.signup.store': { paramsTuple?: []; params?: {} }
    'auth.login.store': { paramsTuple?: []; params?: {} }
    'auth.confirmations.store': { paramsTuple?: []; params?: {} }
    'auth.password_resets.store': { paramsTuple?: []; params?: {} }
    'auth.password_resets.update': { paramsTuple?: []; params?: {} }
    'account.show': { paramsTuple?: []; params?: {} }
    'account.update': { paramsTuple?: []; params?: {} }
    'account.destroy': { paramsTuple?: []; params?: {} }
    'passwords.update': { paramsTuple?: []; params?: {} }
    'emails.update': { paramsTuple?: []; params?: {} }
    'account_events.index': { paramsTuple?: []; params?: {} }
    'sessions.index': { paramsTuple?: []; params?: {} }
    'session_events.show': { paramsTuple?: []; params?: {} }
    'sessions.update': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'api_keys.index': { paramsTuple?: []; params?: {} }
    'api_keys.store': { paramsTuple?: []; params?: {} }
    'api_keys.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.users.index': { paramsTuple?: []; params?: {} }
    'admin.users.store': { paramsTuple?: []; params?: {} }
    'admin.users.show': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.users.update': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.users.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.index': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.destroy_all': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.destroy': { paramsTuple: [ParamValue,ParamValue]; params: {'user': ParamValue,'key': ParamValue} }
    'admin.user_sessions.index': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_sessions.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.disabled_users.store': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.disabled_users.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.support_sessions.store': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_limits.update': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.force_logouts.store': { paramsTuple?: []; params?: {} }
    'admin.contested_users.index': { paramsTuple?: []; params?: {} }
    'admin.contested_users.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.events.index': { paramsTuple?: []; params?: {} }
    'admin.clients.index': { paramsTuple?: []; params?: {} }
    'trusted_sessions.store': { paramsTuple?: []; params?: {} }
    'trusted_sessions.confirm': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'revocations.index': { paramsTuple?: []; params?: {} }
    'introspections.store': { paramsTuple?: []; params?: {} }
    'token_revocations.store': { paramsTuple?: []; params?: {} }
    'oauth_metadata.show': { paramsTuple?: []; params?: {} }
    'unsupported_methods.refuse': { paramsTuple: [ParamValue]; params: {'endpoint': ParamValue} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
    'health.live': { paramsTuple?: []; params?: {} }
    'health.ready': { paramsTuple?: []; params?: {} }
    'metrics.show': { paramsTuple?: []; params?: {} }
    'openapi.show': { paramsTuple?: []; params?: {} }
    'console.show': { paramsTuple?: []; params?: {} }
    'console.reset': { paramsTuple?: []; params?: {} }
    'console.email': { paramsTuple?: []; params?: {} }
    'console.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
    'docs.show': { paramsTuple?: []; params?: {} }
    'docs.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
  }
  POST: {
    'auth.exchange.store': { paramsTuple?: []; params?: {} }
    'auth.refresh.store': { paramsTuple?: []; params?: {} }
    'auth.logout.current': { paramsTuple?: []; params?: {} }
    'auth.logout.others': { paramsTuple?: []; params?: {} }
    'auth.logout.all': { paramsTuple?: []; params?: {} }
    'auth.email_confirmations.store': { paramsTuple?: []; params?: {} }
    'auth.email_confirmations.update': { paramsTuple?: []; params?: {} }
    'auth.signup.store': { paramsTuple?: []; params?: {} }
    'auth.login.store': { paramsTuple?: []; params?: {} }
    'auth.confirmations.store': { paramsTuple?: []; params?: {} }
    'auth.password_resets.store': { paramsTuple?: []; params?: {} }
    'auth.password_resets.update': { paramsTuple?: []; params?: {} }
    'api_keys.store': { paramsTuple?: []; params?: {} }
    'admin.users.store': { paramsTuple?: []; params?: {} }
    'admin.disabled_users.store': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.disabled_users.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.support_sessions.store': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.force_logouts.store': { paramsTuple?: []; params?: {} }
    'trusted_sessions.store': { paramsTuple?: []; params?: {} }
    'trusted_sessions.confirm': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'introspections.store': { paramsTuple?: []; params?: {} }
    'token_revocations.store': { paramsTuple?: []; params?: {} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
  }
  GET: {
    'account.show': { paramsTuple?: []; params?: {} }
    'account_events.index': { paramsTuple?: []; params?: {} }
    'sessions.index': { paramsTuple?: []; params?: {} }
    'session_events.show': { paramsTuple?: []; params?: {} }
    'api_keys.index': { paramsTuple?: []; params?: {} }
    'admin.users.index': { paramsTuple?: []; params?: {} }
    'admin.users.show': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.index': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_sessions.index': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.contested_users.index': { paramsTuple?: []; params?: {} }
    'admin.events.index': { paramsTuple?: []; params?: {} }
    'admin.clients.index': { paramsTuple?: []; params?: {} }
    'revocations.index': { paramsTuple?: []; params?: {} }
    'oauth_metadata.show': { paramsTuple?: []; params?: {} }
    'unsupported_methods.refuse': { paramsTuple: [ParamValue]; params: {'endpoint': ParamValue} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
    'health.live': { paramsTuple?: []; params?: {} }
    'health.ready': { paramsTuple?: []; params?: {} }
    'metrics.show': { paramsTuple?: []; params?: {} }
    'openapi.show': { paramsTuple?: []; params?: {} }
    'console.show': { paramsTuple?: []; params?: {} }
    'console.reset': { paramsTuple?: []; params?: {} }
    'console.email': { paramsTuple?: []; params?: {} }
    'console.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
    'docs.show': { paramsTuple?: []; params?: {} }
    'docs.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
  }
  HEAD: {
    'account.show': { paramsTuple?: []; params?: {} }
    'account_events.index': { paramsTuple?: []; params?: {} }
    'sessions.index': { paramsTuple?: []; params?: {} }
    'session_events.show': { paramsTuple?: []; params?: {} }
    'api_keys.index': { paramsTuple?: []; params?: {} }
    'admin.users.index': { paramsTuple?: []; params?: {} }
    'admin.users.show': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.index': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_sessions.index': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.contested_users.index': { paramsTuple?: []; params?: {} }
    'admin.events.index': { paramsTuple?: []; params?: {} }
    'admin.clients.index': { paramsTuple?: []; params?: {} }
    'revocations.index': { paramsTuple?: []; params?: {} }
    'oauth_metadata.show': { paramsTuple?: []; params?: {} }
    'unsupported_methods.refuse': { paramsTuple: [ParamValue]; params: {'endpoint': ParamValue} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
    'health.live': { paramsTuple?: []; params?: {} }
    'health.ready': { paramsTuple?: []; params?: {} }
    'metrics.show': { paramsTuple?: []; params?: {} }
    'openapi.show': { paramsTuple?: []; params?: {} }
    'console.show': { paramsTuple?: []; params?: {} }
    'console.reset': { paramsTuple?: []; params?: {} }
    'console.email': { paramsTuple?: []; params?: {} }
    'console.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
    'docs.show': { paramsTuple?: []; params?: {} }
    'docs.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
  }
  PATCH: {
    'account.update': { paramsTuple?: []; params?: {} }
    'sessions.update': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.users.update': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_limits.update': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'unsupported_methods.refuse': { paramsTuple: [ParamValue]; params: {'endpoint': ParamValue} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
  }
  DELETE: {
    'account.destroy': { paramsTuple?: []; params?: {} }
    'sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'api_keys.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.users.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.destroy_all': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.user_api_keys.destroy': { paramsTuple: [ParamValue,ParamValue]; params: {'user': ParamValue,'key': ParamValue} }
    'admin.user_sessions.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'admin.sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.contested_users.destroy': { paramsTuple: [ParamValue]; params: {'user': ParamValue} }
    'unsupported_methods.refuse': { paramsTuple: [ParamValue]; params: {'endpoint': ParamValue} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
  }
  PUT: {
    'passwords.update': { paramsTuple?: []; params?: {} }
    'emails.update': { paramsTuple?: []; params?: {} }
    'unsupported_methods.refuse': { paramsTuple: [ParamValue]; params: {'endpoint': ParamValue} }
    'forward_auth.show': { paramsTuple?: []; params?: {} }
  }
  OPTIONS: {
    'forward_auth.show': { paramsTuple?: []; params?: {} }
  }
}
declare module '@adonisjs/core/types/http' {
  export interface RoutesList extends ScannedRoutes {}
}