// RFC 9110 §15.2: interim responses are passed on, and stay apart from the final one. RFC 8297: 103.

import { cacheControl, conversation, date, fromCopy } from './words.mjs'

const LINK = '</style.css>; rel=preload; as=style'
const hinted = (status, fields, seen, more = {}) => ({
  interim_responses: [[status, fields]],
  response_headers: [cacheControl('max-age=100000'), date()],
  expected_response_headers: [['Interim-Responses', seen]],
  pause_after: true,
  ...more
})

export default {
  name: 'Interim responses',
  id: 'interim',
  tests: [
    conversation('interim-102', 'A 102 is passed on, the final answer stored', [
      hinted(102, {}, '102'),
      fromCopy()
    ]),
    conversation('interim-103', 'A 103 is passed on with its fields, the final answer stored', [
      hinted(103, { link: LINK, hint: 'early' }, `103 link ${LINK} hint early`),
      fromCopy()
    ]),
    conversation('interim-not-cached', 'A 103 belongs to one answer and is not kept', [
      hinted(103, { link: LINK }, `103 link ${LINK}`),
      fromCopy({ expected_response_headers_missing: ['Interim-Responses'] })
    ]),
    conversation('interim-no-header-reuse', 'The fields of a 103 stay out of the answer and of the copy', [
      hinted(103, { link: LINK, hint: 'early' }, `103 link ${LINK} hint early`,
        { expected_response_headers_missing: ['Hint'] }),
      fromCopy({ expected_response_headers_missing: ['Hint'] })
    ])
  ]
}
