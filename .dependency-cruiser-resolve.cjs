const { imports } = require('./package.json')
const alias = {}
for (const [name, target] of Object.entries(imports)) {
  alias[name.replace('/*', '')] = require('node:path').resolve(
    __dirname,
    target.replace('/*.js', '')
  )
}
module.exports = { resolve: { alias, extensions: ['.ts', '.js'] } }
