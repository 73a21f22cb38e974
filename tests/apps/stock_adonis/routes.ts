/** What is deployed: the team's routes before it moves over, or while it does. */
await (process.env.DEPLOYED === 'between'
  ? import('./routes_between.js')
  : import('./routes_before.js'))
