import { isObject, type JsonObject, jsonOrNone, textOrNone, written } from '@morgan/foundation';
import { type SaidTime, saidTime } from './said-time.ts';

/** More of the words of a host behind a router is not looked into. */
const LONGEST_MESSAGE = 16_384;
/** What is told of them. */
const LONGEST_REASON = 2_000;
/** The same of a header. */
const LONGEST_HEADER = 256;
/** Headers of a host behind a router that are looked at. */
const MOST_HEADERS = 100;
/** OpenRouter's own words for whatever a host of its own said, without which nobody knows what to do. */
const SAYS_NOTHING = /^provider returned error\.?$/i;

/** What stands beside the text of an error: when to come back, and what was said to a router by a host of its own. */
interface SaidBeside extends SaidTime {
  readonly behind?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Reads it from an error's fields. @param around what these stand in, which may say when. */
export function saidBeside(fields: JsonObject, around: JsonObject): SaidBeside {
  const metadata = isObject(fields['metadata']) ? fields['metadata'] : {};
  const details = Array.isArray(fields['details']) ? fields['details'].filter(isObject) : [];
  const ofDetails = details.map((detail) => detail['metadata']).filter(isObject);
  const { raw, headers } = metadata;
  const behind = (isObject(raw) ? written(raw) : textOrNone(raw))?.slice(0, LONGEST_MESSAGE);
  return {
    ...saidTime([fields, metadata, ...details, ...ofDetails, around]),
    ...(behind !== undefined && { behind }),
    ...(isObject(headers) && { headers: lowerCased(headers) }),
  };
}

/** The message of a router that only says that there was an error, with what its own host said. */
export function withReason(message: string, behind: string | undefined): string {
  if (behind === undefined || !SAYS_NOTHING.test(message)) return message;
  return `${message}: ${wordsIn(behind).slice(0, LONGEST_REASON)}`;
}

function wordsIn(behind: string): string {
  const json = jsonOrNone(behind);
  const fields = isObject(json) ? json : {};
  const { error } = fields;
  return textOrNone((isObject(error) ? error : fields)['message']) ?? textOrNone(error) ?? behind;
}

function lowerCased(headers: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .slice(0, MOST_HEADERS)
      .map(([name, value]) => [
        name.slice(0, LONGEST_HEADER).toLowerCase(),
        String(value).slice(0, LONGEST_HEADER),
      ]),
  );
}
