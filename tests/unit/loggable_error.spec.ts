import { test } from '@japa/runner'
import { loggableError } from '#exceptions/loggable_error'

test.group('What the log says of an error', () => {
  test('the fault and where it happened, and nothing of the statement', ({ assert }) => {
    const statement = "insert into `users` (`email`) values ('ada@example.com', '$argon2id$v=19$x')"
    const error = Object.assign(new Error(`${statement} - SQLITE_CONSTRAINT: NOT NULL failed`), {
      code: 'SQLITE_CONSTRAINT',
    })
    const logged = loggableError(error)
    const text = JSON.stringify(logged)
    assert.notInclude(text, 'ada@example.com')
    assert.notInclude(text, 'argon2id')
    assert.equal(logged.code, 'SQLITE_CONSTRAINT')
    assert.equal(logged.message, 'SQLITE_CONSTRAINT: NOT NULL failed')
    assert.include(logged.stack, 'loggable_error.spec')
  })

  test('a message of several lines is cut off the stack as a whole', ({ assert }) => {
    const logged = loggableError(new Error("INSERT\n  VALUES ('secret')\n - it failed"))
    assert.notInclude(JSON.stringify(logged), 'secret')
    assert.match(logged.stack, /^at /)
  })

  test('what is thrown without being an error is told as such', ({ assert }) => {
    assert.equal(loggableError('secret').message, 'A value was thrown that is no error.')
  })
})
