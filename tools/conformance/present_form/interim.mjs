// RFC 9110 §15.2: interim responses are forwarded, and are not mixed with the final response. RFC 8297: 103.

import { cacheControl, conversation, date, fromCopy } from './builders.mjs'

const LINK = '</style.css>; rel=preload; as=style'
// A response after an interim response; `expected` is what the client must see of the latter (see play.mjs).
const withInterim = (status, fields, expected, more = {}) => ({
  interim_responses: [[status, fields]],
  response_headers: [cacheControl('max-age=100000'), date()],
  expected_response_headers: [['Interim-Responses', expected]],
  pause_after: true,
  ...more
})

export default {
  name: 'Interim responses',
  id: 'interim',
  tests: [
    conversation('interim-102', 'A 102 is forwarded, the final response is stored', [
      withInterim(102, {}, '102'),
      fromCopy()
    ]),
    conversation('interim-103', 'A 103 is forwarded with its fields, the final response is stored', [
      withInterim(103, { link: LINK, hint: 'early' }, `103 link ${LINK} hint early`),
      fromCopy()
    ]),
    conversation('interim-not-cached', 'A 103 belongs to one response and is not stored', [
      withInterim(103, { link: LINK }, `103 link ${LINK}`),
      fromCopy({ expected_response_headers_missing: ['Interim-Responses'] })
    ]),
    conversation('interim-no-header-reuse', 'The fields of a 103 are neither in the final response nor in the copy', [
      withInterim(103, { link: LINK, hint: 'early' }, `103 link ${LINK} hint early`,
        { expected_response_headers_missing: ['Hint'] }),
      fromCopy({ expected_response_headers_missing: ['Hint'] })
    ])
  ]
}
