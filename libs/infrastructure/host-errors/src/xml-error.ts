import type { ReportedError } from './reported-error.ts';

/** The element that says what is wrong, with or without the prefix of a namespace. */
const MESSAGE = /<(?:\w+:)?(?:[Mm]essage|faultstring)>\s*([^<]{1,2000})/;
/** And the one that names it, as AWS and cloud storage do. */
const CODE = /<(?:\w+:)?Code>\s*([\w.-]{1,256})\s*</;
/** Where nothing else is said the whole is named so. */
const NAMED = /^(?:<\?xml[^>]{0,200}>\s*)?<(\w{1,100}(?:Exception|Error|Fault))[\s/>]/;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
  ['&amp;', '&'],
]);

/** What a host or a cloud in front of it says in XML; nothing in a page for people. */
export function xmlErrorIn(text: string): ReportedError | undefined {
  if (/^<(!doctype )?html/i.test(text)) return undefined;
  const code = CODE.exec(text)?.[1] ?? NAMED.exec(text)?.[1];
  const message = MESSAGE.exec(text)?.[1]?.trim();
  if (code === undefined && !message) return undefined;
  return { status: undefined, type: undefined, code, message: message ? decoded(message) : String(code) };
}

function decoded(text: string): string {
  return text.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES.get(entity) ?? entity);
}
