// Storing responses, their freshness, and the use of stale responses.

import { cacheControl, conversation, date, fromCopy, fromOrigin, stored, unchecked } from './builders.mjs'

// Directives with which a stale response must not be used.
const NEVER_STALE = ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=2']
// An error that the cache itself makes has nothing from the origin in it.
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

// The updated field is expected in the response that the 304 confirms, and in a later response from the copy.
const updatedBy304 = (id, name, field, [before, after], more = []) => {
  const fields = value => [date(), cacheControl('max-age=2'), unchecked(field, value), ...more.map(each => [...each])]
  const updated = type => (
    { expected_type: type, expected_response_headers: [[field, after]], setup_tests: ['expected_type'] })
  return conversation(id, name, [
    stored(fields(before)),
    { response_headers: fields(after), ...updated('etag_validated') },
    updated('cached')
  ], ['304-lm-use-stored-Test-Header'])
}

const month = () => ['Expires', 30 * 24 * 60 * 60]
const withExpiresInAMonth = (id, name, field) => conversation(
  id, name, [stored([month(), date()]), fromCopy({ expected_response_headers: [field] })],
  ['freshness-expires-future'])

export default {
  name: 'Storing, freshness and staleness',
  id: 'responses',
  tests: [
    conversation('freshness-max-age-stale', 'A copy is not used after the end of its lifetime',
      [stored([cacheControl('max-age=2')]), fromOrigin()], ['freshness-max-age']),
    olderAndNewer(
      'cc-resp-no-store-old-new', 'A fresh copy is used, even if the origin now sends no-store', 'no-store'),
    olderAndNewer(
      'cc-resp-no-store-old-max-age', 'A fresh copy is used, even if the origin now sends no-store, max-age=0',
      'no-store, max-age=0'),
    conversation('stale-while-revalidate', 'A stale copy is used while the cache revalidates it in the background', [
      stored([cacheControl('max-age=1, stale-while-revalidate=3600'), ['ETag', '"one"']]),
      fromCopy()
    ], ['freshness-max-age-stale']),
    conversation('stale-while-revalidate-window', 'A response to a background revalidation is used while it is fresh', [
      stored([cacheControl('max-age=1, stale-while-revalidate=4'), ['ETag', '"one"']]),
      stored([unchecked('Cache-Control', 'no-cache'), unchecked('ETag', '"two"')], { expected_type: 'cached' }),
      { expected_response_headers: [['Client-Request-Count', '3']] }
    ], ['stale-while-revalidate']),
    conversation('stale-sie-503', 'Is a copy used when stale-if-error covers the 503?', [
      stored([cacheControl('max-age=2, stale-if-error=60')]),
      fromCopy({ response_status: [503, 'Service Unavailable'], expected_status: 200 })
    ], ['freshness-max-age-stale']),
    ...NEVER_STALE.map(directive => conversation(
      `stale-close-${directive}`, `A stale copy with ${directive} is not used when the origin closes the connection`,
      [stored([cacheControl(`max-age=2, ${directive}`)]), ownError()], ['stale-close'])),
    conversation('status-200-must-understand', 'must-understand overrides no-store for a known status', [
      stored([cacheControl('max-age=3600, no-store, must-understand')], { response_status: [200, 'OK'] }),
      fromCopy()
    ], ['status-200-fresh', 'cc-resp-no-store-fresh']),
    conversation('status-599-must-understand', 'must-understand does not override no-store for an unknown status', [
      stored([cacheControl('max-age=3600, no-store, must-understand')], { response_status: [599, 'Unheard Of'] }),
      fromOrigin()
    ], ['status-599-fresh']),
    conversation('pragma-request-no-cache', 'Is Pragma ignored if there is a Cache-Control?', [
      stored([cacheControl('max-age=3600')]),
      fromCopy({ request_headers: [['Pragma', 'no-cache'], cacheControl('nothing-to-see-here')] })
    ]),
    conversation('other-age-delay', 'Does a response that took two seconds get an Age?', [{
      response_headers: [cacheControl('max-age=3600'), date()],
      response_pause: 2,
      expected_response_headers: [['Age', '>', 0]]
    }]),
    withExpiresInAMonth('other-date-update-expires', 'Date is unchanged, also with an Expires', date()),
    withExpiresInAMonth('other-date-update-expires-update', 'Is Expires unchanged?', month()),
    updatedBy304('304-etag-update-response-Content-MD5', 'Does a 304 update Content-MD5?', 'Content-MD5',
      ['rL0Y20zC+Fzt72VPzMSk2A==', 'N7UdGUp1E+RbVvZSTy1R8g=='], [['ETag', '"one"']]),
    updatedBy304('304-etag-update-response-Content-Encoding', 'Does a 304 update Content-Encoding?', 'Content-Encoding',
      ['one', 'two'], [['ETag', '"one"']]),
    updatedBy304('304-etag-update-response-Content-Range', 'Does a 304 update Content-Range?', 'Content-Range',
      ['one', 'two'], [['ETag', '"one"']]),
    updatedBy304('304-etag-update-response-ETag', 'Does a 304 with another entity tag update the stored one?', 'ETag',
      ['"one"', '"two"'])
  ]
}
