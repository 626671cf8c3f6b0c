import { errors } from 'undici';

/** What a server sent is not HTTP. @param why what is wrong with it, without a word of its content. */
export function badResponse(why: string): Error {
  return new errors.HTTPParserError(`The response is not valid HTTP: ${why}.`);
}
