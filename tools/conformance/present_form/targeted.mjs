// RFC 9213: an edge cache obeys a valid CDN-Cache-Control, and ignores Cache-Control and Expires then.

import { cacheControl, conversation, date, fromCopy, fromOrigin, stored, unchecked } from './builders.mjs'

const targeted = value => unchecked('CDN-Cache-Control', value)
const afterStored = (id, name, fields, lastRequest, dependsOn = ['cdn-max-age']) => (
  conversation(id, name, [stored(fields), lastRequest], dependsOn))

// The targeted lifetime is longer than that of Cache-Control.
const LONGER = [cacheControl('max-age=1'), ['CDN-Cache-Control', 'max-age=10000']]
const withLongerLifetime = (id, name, field, more = []) => afterStored(
  id, name, [...LONGER.map(field => [...field]), ...more, date()], { expected_response_headers: [field] })

export default {
  name: 'Targeted cache control',
  id: 'cdn-cache-control',
  tests: [
    afterStored('cdn-max-age', 'A response with only a targeted lifetime is stored', [targeted('max-age=3600')],
      fromCopy(), ['freshness-none']),
    afterStored('cdn-max-age-max', 'A targeted lifetime of 2^31 seconds', [targeted('max-age=2147483648')], fromCopy(),
      ['freshness-none']),
    afterStored('cdn-max-age-max-plus', 'A targeted lifetime of more than 32 bits', [targeted('max-age=99999999999')],
      fromCopy(), ['freshness-none']),
    afterStored('cdn-max-age-age', 'Age is compared with a targeted lifetime',
      [date(), targeted('max-age=3600'), ['Age', '7200']], fromOrigin()),
    afterStored('cdn-max-age-space-before-equals', 'A space before = is invalid in a Dictionary: Cache-Control counts',
      [cacheControl('max-age=1'), targeted('max-age =100')], fromOrigin()),
    afterStored('cdn-max-age-space-after-equals', 'A space after = is invalid in a Dictionary: Cache-Control counts',
      [cacheControl('max-age=1'), targeted('max-age= 100')], fromOrigin()),
    afterStored('cdn-max-age-0', 'A targeted lifetime of 0', [targeted('max-age=0')], fromOrigin()),
    afterStored('cdn-max-age-extension', 'An unknown member is ignored', [targeted('unheard-of, max-age=3600')],
      fromCopy()),
    afterStored('cdn-max-age-case-insensitive', 'Is a Dictionary key in upper case accepted?',
      [targeted('MaX-aGe=3600')], fromCopy()),
    afterStored('cdn-max-age-expires', 'A targeted lifetime overrides an Expires in the past',
      [targeted('max-age=3600'), ['Expires', -10000], date()], fromCopy()),
    afterStored('cdn-max-age-cc-max-age-invalid-expires', 'A targeted lifetime overrides an invalid Expires',
      [targeted('max-age=3600'), unchecked('Expires', '0'), date()], fromCopy()),
    afterStored('cdn-max-age-0-expires', 'A targeted lifetime of 0 overrides an Expires in the future',
      [targeted('max-age=0'), ['Expires', 10000], date()], fromOrigin()),
    afterStored('cdn-max-age-short-cc-max-age', 'A long targeted lifetime overrides a short one in Cache-Control',
      [cacheControl('max-age=1'), targeted('max-age=3600')], fromCopy()),
    afterStored('cdn-max-age-long-cc-max-age', 'A short targeted lifetime overrides a long one in Cache-Control',
      [cacheControl('max-age=3600'), targeted('max-age=1')], fromOrigin()),
    afterStored('cdn-private', 'Targeted private overrides a lifetime in Cache-Control',
      [targeted('private'), cacheControl('max-age=10000'), ['Expires', 10000], date()], fromOrigin(), []),
    afterStored('cdn-no-cache', 'Targeted no-cache overrides a lifetime in Cache-Control',
      [targeted('no-cache'), cacheControl('max-age=10000'), ['Expires', 10000], date()], fromOrigin(), []),
    afterStored('cdn-no-store-cc-fresh', 'Targeted no-store overrides a lifetime in Cache-Control',
      [targeted('no-store'), cacheControl('max-age=10000'), ['Expires', 10000], date()], fromOrigin(),
      ['freshness-none']),
    afterStored('cdn-fresh-cc-nostore', 'A targeted lifetime overrides no-store in Cache-Control',
      [cacheControl('no-store'), targeted('max-age=10000')], fromCopy(), ['freshness-none']),
    afterStored('cdn-cc-invalid-sh-type-unknown', 'A field that is not a valid Dictionary is ignored as a whole',
      [targeted('max-age=10000, &&&&&'), cacheControl('no-store')], fromOrigin()),
    afterStored('cdn-cc-invalid-sh-type-wrong', 'A lifetime that is a String is ignored',
      [targeted('max-age="10000"'), cacheControl('no-store')], fromOrigin()),
    conversation('cdn-remove-header', 'Is the targeted field forwarded?', [{
      response_headers: [cacheControl('max-age=10000'), targeted('unheard-of')],
      expected_response_headers: [['CDN-Cache-Control', 'unheard-of']]
    }]),
    withLongerLifetime('cdn-remove-age-exceed', 'Does a copy older than Cache-Control allows have an Age?', 'Age'),
    withLongerLifetime('cdn-date-update-exceed', 'Is Date unchanged in a copy older than Cache-Control allows?',
      date()),
    withLongerLifetime('cdn-expires-update-exceed', 'Is Expires unchanged in a copy older than it?', ['Expires', 1],
      [['Expires', 1]])
  ]
}
