import { isObject, type JsonObject, textOrNone, written } from '@morgan/foundation';

/** Where hosts that have no error object put its text. */
const TEXT_FIELDS = [
  'message',
  'Message',
  'msg',
  'error_msg',
  'error_message',
  'errorMessage',
  'status_msg',
  'faultstring',
  'detail',
  'details',
  'reason',
  'error_description',
  'description',
  'title',
];

/** The text of an error among its fields, wherever hosts have it. */
export function textIn(fields: JsonObject): string | undefined {
  const { message, detail } = fields;
  // In Ollama's own API it is what the model said.
  if (isObject(message) && 'role' in message) return undefined;
  if (isObject(message)) return detailText(message['detail'] ?? message);
  // FastChat and LMDeploy have it where their workers have an answer.
  const names = 'error_code' in fields ? [...TEXT_FIELDS, 'text'] : TEXT_FIELDS;
  const text = names.map((name) => textOrNone(fields[name])).find((each) => each !== undefined);
  // Beside it may stand what was sent.
  return text ?? (Array.isArray(detail) && detail.some(isObject) ? detailText(detail) : undefined);
}

/** Its own text, or that of an error within: no deeper, as a host chooses how deep that goes. */
function flatTextIn(fields: JsonObject): string | undefined {
  const { error } = fields;
  const within = isObject(error) ? TEXT_FIELDS.map((name) => error[name]) : [error];
  return [...TEXT_FIELDS.map((name) => fields[name]), ...within]
    .map(textOrNone)
    .find((each) => each !== undefined);
}

/** FastAPI: a text, or a list of faults with the path to each field. */
export function detailText(detail: unknown): string {
  if (isObject(detail)) return flatTextIn(detail) ?? written(detail);
  if (!Array.isArray(detail)) return String(detail);
  const faults = detail.filter(isObject).map(({ loc, msg }) => {
    const path = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
    return path + (typeof msg === 'string' ? msg : 'invalid');
  });
  return faults.join('; ');
}
