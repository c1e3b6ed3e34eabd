// Every message of the window passes here, in a frame the window's own scripts cannot reach,
// before it is sealed and handed to the backend. What is not on the list is refused, so that a
// script that got into the window can at most ask what the window asks. The backend checks
// everything again: this is a second wall, not the first.
'use strict'

const LARGEST_REQUEST_BYTES = 1024 * 1024

const isPlainObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

const hasOnly = (value, keys) => Object.keys(value).every((key) => keys.includes(key))

// `query` and `act` carry one request: a command of the contract and what it needs.
const isRequest = (payload) =>
  isPlainObject(payload) &&
  hasOnly(payload, ['cmd', 'payload']) &&
  typeof payload.cmd === 'string' &&
  /^[a-z_]{1,40}$/.test(payload.cmd) &&
  JSON.stringify(payload).length <= LARGEST_REQUEST_BYTES

// `media` names one file of one case, by ids.
const isId = (value) => typeof value === 'string' && value.length > 0 && value.length <= 256
const isFile = (payload) =>
  isPlainObject(payload) && hasOnly(payload, ['caseId', 'outputId']) && isId(payload.caseId) && isId(payload.outputId)

// `opening` and `open_again` say nothing.
const isNothing = (payload) => payload === undefined || (isPlainObject(payload) && hasOnly(payload, []))

// The only events of the backend.
const isListening = (payload) => isPlainObject(payload) && (payload.event === 'changed' || payload.event === 'opening')

const ALLOWED = {
  __proto__: null,
  query: isRequest,
  act: isRequest,
  media: isFile,
  opening: isNothing,
  open_again: isNothing,
  'plugin:event|listen': isListening,
  'plugin:event|unlisten': isListening,
}

// A refused message goes on under a name no command has: the backend then answers with an error,
// where a message that is only dropped would leave its sender waiting for ever.
const REFUSED = 'refused_by_isolation'

window.__TAURI_ISOLATION_HOOK__ = (message) => {
  const check = ALLOWED[message.cmd]
  const allowed = check !== undefined && check(message.payload)
  return allowed ? message : { ...message, cmd: REFUSED, payload: {} }
}
