// What a cache keeps, how long, and what it may say once that time is over.

import { cacheControl, conversation, date, fromCopy, fromOrigin, loose, stored } from './words.mjs'

const NEVER = ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=2']
// The cache's own error has nothing of the origin's in it.
const ownError = () => ({
  disconnect: true,
  expected_status: 504,
  check_body: false,
  expected_response_headers_missing: ['Server-Request-Count']
})

const olderAndNewer = (id, name, newer) => conversation(id, name, [
  stored([cacheControl('max-age=10000'), date(), ['Edition', 'first']]),
  stored([cacheControl(newer), date(), ['Edition', 'second']]),
  fromCopy({ expected_response_headers: [['Edition', 'first']] })
], ['cc-resp-no-store'])

// The cache is asked for the field as it was updated: by the 304, and then by the copy.
const updatedBy304 = (id, name, field, [before, after], fields = []) => {
  const origin = value => [date(), cacheControl('max-age=2'), loose(field, value), ...fields.map(one => [...one])]
  const updated = type => (
    { expected_type: type, expected_response_headers: [[field, after]], setup_tests: ['expected_type'] })
  return conversation(id, name, [
    stored(origin(before)),
    { response_headers: origin(after), ...updated('etag_validated') },
    updated('cached')
  ], ['304-lm-use-stored-Test-Header'])
}

const month = () => ['Expires', 30 * 24 * 60 * 60]
const afterAMonthlyExpiry = (id, name, field) => conversation(
  id, name, [stored([month(), date()]), fromCopy({ expected_response_headers: [field] })],
  ['freshness-expires-future'])

export default {
  name: 'Storing, freshness and staleness',
  id: 'responses',
  tests: [
    conversation('freshness-max-age-stale', 'A copy is not used once its lifetime is over',
      [stored([cacheControl('max-age=2')]), fromOrigin()], ['freshness-max-age']),
    olderAndNewer('cc-resp-no-store-old-new', 'A fresh copy is used whatever the origin would say now', 'no-store'),
    olderAndNewer('cc-resp-no-store-old-max-age', 'A fresh copy is used, no-store and max-age=0 notwithstanding',
      'no-store, max-age=0'),
    conversation('stale-while-revalidate', 'A copy is used while the cache asks in the background', [
      stored([cacheControl('max-age=1, stale-while-revalidate=3600'), ['ETag', '"one"']]),
      fromCopy()
    ], ['freshness-max-age-stale']),
    conversation('stale-while-revalidate-window', 'What the background brought is used, and not longer than it says', [
      stored([cacheControl('max-age=1, stale-while-revalidate=4'), ['ETag', '"one"']]),
      stored([loose('Cache-Control', 'no-cache'), loose('ETag', '"two"')], { expected_type: 'cached' }),
      { expected_response_headers: [['Client-Request-Count', '3']] }
    ], ['stale-while-revalidate']),
    conversation('stale-sie-503', 'Is a copy used when stale-if-error covers the 503?', [
      stored([cacheControl('max-age=2, stale-if-error=60')]),
      fromCopy({ response_status: [503, 'Service Unavailable'], expected_status: 200 })
    ], ['freshness-max-age-stale']),
    ...NEVER.map(directive => conversation(
      `stale-close-${directive}`, `A stale copy with ${directive} is not used when the origin is gone`,
      [stored([cacheControl(`max-age=2, ${directive}`)]), ownError()], ['stale-close'])),
    conversation('status-200-must-understand', 'must-understand lifts no-store for a status that is understood', [
      stored([cacheControl('max-age=3600, no-store, must-understand')], { response_status: [200, 'OK'] }),
      fromCopy()
    ], ['status-200-fresh', 'cc-resp-no-store-fresh']),
    conversation('status-599-must-understand', 'must-understand lifts nothing for a status nobody knows', [
      stored([cacheControl('max-age=3600, no-store, must-understand')], { response_status: [599, 'Unheard Of'] }),
      fromOrigin()
    ], ['status-599-fresh']),
    conversation('pragma-request-no-cache', 'Is Pragma ignored beside a Cache-Control?', [
      stored([cacheControl('max-age=3600')]),
      fromCopy({ request_headers: [['Pragma', 'no-cache'], cacheControl('nothing-to-see-here')] })
    ]),
    conversation('other-age-delay', 'Does an answer that took its time get an Age?', [{
      response_headers: [cacheControl('max-age=3600'), date()],
      response_pause: 2,
      expected_response_headers: [['Age', '>', 0]]
    }]),
    afterAMonthlyExpiry('other-date-update-expires', 'Date stays as it was, beside Expires too', date()),
    afterAMonthlyExpiry('other-date-update-expires-update', 'Does Expires stay as it was?', month()),
    updatedBy304('304-etag-update-response-Content-MD5', 'Does a 304 update Content-MD5?', 'Content-MD5',
      ['rL0Y20zC+Fzt72VPzMSk2A==', 'N7UdGUp1E+RbVvZSTy1R8g=='], [['ETag', '"one"']]),
    updatedBy304('304-etag-update-response-Content-Encoding', 'Does a 304 update Content-Encoding?', 'Content-Encoding',
      ['one', 'two'], [['ETag', '"one"']]),
    updatedBy304('304-etag-update-response-Content-Range', 'Does a 304 update Content-Range?', 'Content-Range',
      ['one', 'two'], [['ETag', '"one"']]),
    updatedBy304('304-etag-update-response-ETag', 'Does a 304 with another entity tag update ours?', 'ETag',
      ['"one"', '"two"'])
  ]
}
