// RFC 9111 §5.1: the first Age counts, and one that is no number does not. §5.3: what is no HTTP-date is past.

import { cacheControl, conversation, date, fromCopy, fromOrigin, loose, stored } from './words.mjs'

const afterAge = (id, name, ages, next) => conversation(
  id, name, [stored([date(), cacheControl('max-age=3600'), ...ages.map(age => loose('Age', age))]), next],
  ['freshness-max-age-age'])

const afterExpires = (id, dates, next) => conversation(
  id, `Expires: ${dates.join(' and ')}`, [stored([...dates.map(one => loose('Expires', one)), date()]), next],
  ['freshness-expires-future'])

export const age = {
  name: 'Reading Age',
  id: 'age-parse',
  tests: [
    afterAge('age-parse-nonnumeric', 'A word is no Age', ['abc'], fromCopy()),
    afterAge('age-parse-negative', 'A negative Age is none', ['-7200'], fromCopy()),
    afterAge('age-parse-float', 'A decimal is no Age', ['7200.0'], fromCopy()),
    afterAge('age-parse-large-minus-one', 'An Age of 2^31 - 1', ['2147483647'], fromOrigin()),
    afterAge('age-parse-large', 'An Age of 2^31', ['2147483648'], fromOrigin()),
    afterAge('age-parse-larger', 'An Age of 2^31 + 1', ['2147483649'], fromOrigin()),
    afterAge('age-parse-prefix-twoline', 'The first of two lines counts', ['0', '7200'], fromCopy()),
    afterAge('age-parse-dup-0', 'The same Age twice in a line', ['0, 0'], fromCopy()),
    afterAge('age-parse-dup-0-twoline', 'The same Age in two lines', ['0', '0'], fromCopy()),
    afterAge('age-parse-dup-old', 'An Age within the lifetime in two lines', ['1800', '1800'], fromCopy()),
    afterAge('age-parse-parameter', 'Does a parameter leave the Age its number?', ['7200;a=b'], fromOrigin()),
    afterAge('age-parse-numeric-parameter', 'Does a number as parameter?', ['7200;a=111'], fromOrigin())
  ]
}

export const expires = {
  name: 'Reading Expires',
  id: 'expires-parse',
  tests: [
    afterExpires('freshness-expires-32bit', ['Tue, 19 Jan 2038 14:14:08 GMT'], fromCopy()),
    afterExpires('freshness-expires-far-future', ['Sun, 21 Nov 2286 04:46:39 GMT'], fromCopy()),
    afterExpires('freshness-expires-invalid-utc', ['Thu, 18 Aug 2050 02:01:18 UTC'], fromOrigin()),
    afterExpires('freshness-expires-invalid-aest', ['Thu, 18 Aug 2050 02:01:18 AEST'], fromOrigin()),
    afterExpires('freshness-expires-invalid-2-digit-year', ['Thu, 18 Aug 50 02:01:18 GMT'], fromOrigin()),
    afterExpires('freshness-expires-invalid-no-comma', ['Thu 18 Aug 2050 02:01:18 GMT'], fromOrigin()),
    afterExpires('freshness-expires-invalid-multiple-spaces', ['Thu, 18  Aug  2050 02:01:18 GMT'], fromOrigin()),
    afterExpires('freshness-expires-invalid-date-dashes', ['Thu, 18-Aug-2050 02:01:18 GMT'], fromOrigin()),
    afterExpires('freshness-expires-invalid-time-periods', ['Thu, 18 Aug 2050 02.01.18 GMT'], fromOrigin()),
    afterExpires('freshness-expires-invalid-1-digit-hour', ['Thu, 18 Aug 2050 2:01:18 GMT'], fromOrigin()),
    afterExpires('freshness-expires-invalid-multiple-lines',
      ['Thu, 18 Aug 2050 02:01:18 GMT', 'Thu, 18 Aug 2050 02:01:19 GMT'], fromOrigin())
  ]
}
