// RFC 9111 §5.1: the first Age counts; an invalid Age is ignored. §5.3: an invalid Expires is a time in the past.

import { cacheControl, conversation, date, fromCopy, fromOrigin, stored, unchecked } from './builders.mjs'

const afterAge = (id, name, ages, lastRequest) => conversation(
  id, name,
  [stored([date(), cacheControl('max-age=3600'), ...ages.map(value => unchecked('Age', value))]), lastRequest],
  ['freshness-max-age-age'])

const afterExpires = (id, dates, lastRequest) => conversation(
  id, `Expires: ${dates.join(' and ')}`,
  [stored([...dates.map(value => unchecked('Expires', value)), date()]), lastRequest],
  ['freshness-expires-future'])

export const age = {
  name: 'Reading Age',
  id: 'age-parse',
  tests: [
    afterAge('age-parse-nonnumeric', 'A word is not a valid Age', ['abc'], fromCopy()),
    afterAge('age-parse-negative', 'A negative Age is not valid', ['-7200'], fromCopy()),
    afterAge('age-parse-float', 'A decimal number is not a valid Age', ['7200.0'], fromCopy()),
    afterAge('age-parse-large-minus-one', 'An Age of 2^31 - 1', ['2147483647'], fromOrigin()),
    afterAge('age-parse-large', 'An Age of 2^31', ['2147483648'], fromOrigin()),
    afterAge('age-parse-larger', 'An Age of 2^31 + 1', ['2147483649'], fromOrigin()),
    afterAge('age-parse-prefix-twoline', 'Of two lines, the first counts', ['0', '7200'], fromCopy()),
    afterAge('age-parse-dup-0', 'The same Age twice in one line', ['0, 0'], fromCopy()),
    afterAge('age-parse-dup-0-twoline', 'The same Age in two lines', ['0', '0'], fromCopy()),
    afterAge('age-parse-dup-old', 'The same Age twice, less than the lifetime', ['1800', '1800'], fromCopy()),
    afterAge('age-parse-parameter', 'Is an Age with a parameter valid?', ['7200;a=b'], fromOrigin()),
    afterAge('age-parse-numeric-parameter', 'Is an Age with a numeric parameter valid?', ['7200;a=111'], fromOrigin())
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
