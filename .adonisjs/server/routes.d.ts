import '@adonisjs/core/types/http'

type ParamValue = string | number | bigint | boolean

export type ScannedRoutes = {
  ALL: {
    'auth.signup.store': { paramsTuple?: []; params?: {} }
    'auth.login.store': { paramsTuple?: []; params?: {} }
    'auth.exchange.store': { paramsTuple?: []; params?: {} }
    'auth.logout.current': { paramsTuple?: []; params?: {} }
    'auth.logout.others': { paramsTuple?: []; params?: {} }
    'auth.logout.all': { paramsTuple?: []; params?: {} }
    'auth.password_resets.store': { paramsTuple?: []; params?: {} }
    'auth.password_resets.update': { paramsTuple?: []; params?: {} }
    'account.show': { paramsTuple?: []; params?: {} }
    'account.destroy': { paramsTuple?: []; params?: {} }
    'passwords.update': { paramsTuple?: []; params?: {} }
    'account_events.index': { paramsTuple?: []; params?: {} }
    'sessions.index': { paramsTuple?: []; params?: {} }
    'session_events.show': { paramsTuple?: []; params?: {} }
    'sessions.update': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.users.index': { paramsTuple?: []; params?: {} }
    'admin.user_sessions.index': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.user_sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.disabled_users.store': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.disabled_users.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.user_limits.update': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.force_logouts.store': { paramsTuple?: []; params?: {} }
    'admin.events.index': { paramsTuple?: []; params?: {} }
    'health.live': { paramsTuple?: []; params?: {} }
    'health.ready': { paramsTuple?: []; params?: {} }
    'metrics.show': { paramsTuple?: []; params?: {} }
    'openapi.show': { paramsTuple?: []; params?: {} }
    'console.show': { paramsTuple?: []; params?: {} }
    'console.reset': { paramsTuple?: []; params?: {} }
    'console.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
    'docs.show': { paramsTuple?: []; params?: {} }
    'docs.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
  }
  POST: {
    'auth.signup.store': { paramsTuple?: []; params?: {} }
    'auth.login.store': { paramsTuple?: []; params?: {} }
    'auth.exchange.store': { paramsTuple?: []; params?: {} }
    'auth.logout.current': { paramsTuple?: []; params?: {} }
    'auth.logout.others': { paramsTuple?: []; params?: {} }
    'auth.logout.all': { paramsTuple?: []; params?: {} }
    'auth.password_resets.store': { paramsTuple?: []; params?: {} }
    'auth.password_resets.update': { paramsTuple?: []; params?: {} }
    'admin.disabled_users.store': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.disabled_users.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.force_logouts.store': { paramsTuple?: []; params?: {} }
  }
  GET: {
    'account.show': { paramsTuple?: []; params?: {} }
    'account_events.index': { paramsTuple?: []; params?: {} }
    'sessions.index': { paramsTuple?: []; params?: {} }
    'session_events.show': { paramsTuple?: []; params?: {} }
    'admin.users.index': { paramsTuple?: []; params?: {} }
    'admin.user_sessions.index': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.events.index': { paramsTuple?: []; params?: {} }
    'health.live': { paramsTuple?: []; params?: {} }
    'health.ready': { paramsTuple?: []; params?: {} }
    'metrics.show': { paramsTuple?: []; params?: {} }
    'openapi.show': { paramsTuple?: []; params?: {} }
    'console.show': { paramsTuple?: []; params?: {} }
    'console.reset': { paramsTuple?: []; params?: {} }
    'console.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
    'docs.show': { paramsTuple?: []; params?: {} }
    'docs.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
  }
  HEAD: {
    'account.show': { paramsTuple?: []; params?: {} }
    'account_events.index': { paramsTuple?: []; params?: {} }
    'sessions.index': { paramsTuple?: []; params?: {} }
    'session_events.show': { paramsTuple?: []; params?: {} }
    'admin.users.index': { paramsTuple?: []; params?: {} }
    'admin.user_sessions.index': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.events.index': { paramsTuple?: []; params?: {} }
    'health.live': { paramsTuple?: []; params?: {} }
    'health.ready': { paramsTuple?: []; params?: {} }
    'metrics.show': { paramsTuple?: []; params?: {} }
    'openapi.show': { paramsTuple?: []; params?: {} }
    'console.show': { paramsTuple?: []; params?: {} }
    'console.reset': { paramsTuple?: []; params?: {} }
    'console.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
    'docs.show': { paramsTuple?: []; params?: {} }
    'docs.asset': { paramsTuple: [ParamValue]; params: {'file': ParamValue} }
  }
  DELETE: {
    'account.destroy': { paramsTuple?: []; params?: {} }
    'sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.user_sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.sessions.destroy': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
  }
  PUT: {
    'passwords.update': { paramsTuple?: []; params?: {} }
  }
  PATCH: {
    'sessions.update': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
    'admin.user_limits.update': { paramsTuple: [ParamValue]; params: {'id': ParamValue} }
  }
}
declare module '@adonisjs/core/types/http' {
  export interface RoutesList extends ScannedRoutes {}
}