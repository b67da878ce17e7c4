// RFC 9213: an edge cache obeys CDN-Cache-Control, where it is valid, and nothing else.

import { cacheControl, conversation, date, fromCopy, fromOrigin, loose, stored } from './words.mjs'

const targeted = value => loose('CDN-Cache-Control', value)
const then = (id, name, fields, next, dependsOn = ['cdn-max-age']) => (
  conversation(id, name, [stored(fields), next], dependsOn))

const OUTLIVES = [cacheControl('max-age=1'), ['CDN-Cache-Control', 'max-age=10000']]
const outliving = (id, name, field, more = []) => then(
  id, name, [...OUTLIVES.map(field => [...field]), ...more, date()], { expected_response_headers: [field] })

export default {
  name: 'Targeted cache control',
  id: 'cdn-cache-control',
  tests: [
    then('cdn-max-age', 'A targeted lifetime is enough to be stored', [targeted('max-age=3600')], fromCopy(),
      ['freshness-none']),
    then('cdn-max-age-max', 'A targeted lifetime of 2^31 seconds', [targeted('max-age=2147483648')], fromCopy(),
      ['freshness-none']),
    then('cdn-max-age-max-plus', 'A targeted lifetime beyond 32 bits', [targeted('max-age=99999999999')], fromCopy(),
      ['freshness-none']),
    then('cdn-max-age-age', 'Age counts against a targeted lifetime',
      [date(), targeted('max-age=3600'), ['Age', '7200']], fromOrigin()),
    then('cdn-max-age-space-before-equals', 'A space before = is no Dictionary: Cache-Control decides',
      [cacheControl('max-age=1'), targeted('max-age =100')], fromOrigin()),
    then('cdn-max-age-space-after-equals', 'A space after = is no Dictionary: Cache-Control decides',
      [cacheControl('max-age=1'), targeted('max-age= 100')], fromOrigin()),
    then('cdn-max-age-0', 'A targeted lifetime of nothing', [targeted('max-age=0')], fromOrigin()),
    then('cdn-max-age-extension', 'A member nobody knows does no harm', [targeted('unheard-of, max-age=3600')],
      fromCopy()),
    then('cdn-max-age-case-insensitive', 'Is a Dictionary key in capitals taken?', [targeted('MaX-aGe=3600')],
      fromCopy()),
    then('cdn-max-age-expires', 'A targeted lifetime beats an Expires that is past',
      [targeted('max-age=3600'), ['Expires', -10000], date()], fromCopy()),
    then('cdn-max-age-cc-max-age-invalid-expires', 'A targeted lifetime beats an Expires that is no date',
      [targeted('max-age=3600'), loose('Expires', '0'), date()], fromCopy()),
    then('cdn-max-age-0-expires', 'A targeted lifetime of nothing beats an Expires to come',
      [targeted('max-age=0'), ['Expires', 10000], date()], fromOrigin()),
    then('cdn-max-age-short-cc-max-age', 'A long targeted lifetime beats a short one for everybody',
      [cacheControl('max-age=1'), targeted('max-age=3600')], fromCopy()),
    then('cdn-max-age-long-cc-max-age', 'A short targeted lifetime beats a long one for everybody',
      [cacheControl('max-age=3600'), targeted('max-age=1')], fromOrigin()),
    then('cdn-private', 'Targeted private beats a lifetime for everybody',
      [targeted('private'), cacheControl('max-age=10000'), ['Expires', 10000], date()], fromOrigin(), []),
    then('cdn-no-cache', 'Targeted no-cache beats a lifetime for everybody',
      [targeted('no-cache'), cacheControl('max-age=10000'), ['Expires', 10000], date()], fromOrigin(), []),
    then('cdn-no-store-cc-fresh', 'Targeted no-store beats a lifetime for everybody',
      [targeted('no-store'), cacheControl('max-age=10000'), ['Expires', 10000], date()], fromOrigin(),
      ['freshness-none']),
    then('cdn-fresh-cc-nostore', 'A targeted lifetime beats no-store for everybody',
      [cacheControl('no-store'), targeted('max-age=10000')], fromCopy(), ['freshness-none']),
    then('cdn-cc-invalid-sh-type-unknown', 'What is no Dictionary is ignored as a whole',
      [targeted('max-age=10000, &&&&&'), cacheControl('no-store')], fromOrigin()),
    then('cdn-cc-invalid-sh-type-wrong', 'A lifetime that is a String is ignored',
      [targeted('max-age="10000"'), cacheControl('no-store')], fromOrigin()),
    conversation('cdn-remove-header', 'Is the targeted field passed on?', [{
      response_headers: [cacheControl('max-age=10000'), targeted('unheard-of')],
      expected_response_headers: [['CDN-Cache-Control', 'unheard-of']]
    }]),
    outliving('cdn-remove-age-exceed', 'Does Age say that a copy outlived Cache-Control?', 'Age'),
    outliving('cdn-date-update-exceed', 'Does Date stay as it was when a copy outlived Cache-Control?', date()),
    outliving('cdn-expires-update-exceed', 'Does Expires stay as it was when a copy outlived it?', ['Expires', 1],
      [['Expires', 1]])
  ]
}
