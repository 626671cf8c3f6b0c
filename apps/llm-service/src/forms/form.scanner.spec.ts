import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { boundaryOf, FormScanner } from './form.scanner.ts';

const BOUNDARY = '----x-1';
const head = (name: string, more = '') =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n`;
const field = (name: string, value: string) => `${head(name)}\r\n${value}\r\n`;
const file = (bytes: string) =>
  `${head('file', '; filename="model.wav"')}Content-Type: audio/wav\r\n\r\n${bytes}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

/** What is found in a form that is cut into these pieces. */
function scan(form: string | Buffer, cuts: readonly number[] = []) {
  const bytes = Buffer.from(form);
  const scanner = new FormScanner(BOUNDARY);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    scanner.push(bytes.subarray(start, end));
    start = end;
  }
  const { model, isUnclear } = scanner;
  if (isUnclear) return 'unclear';
  return model && { name: model.name, written: bytes.toString('utf8', model.start, model.end) };
}

describe('the model of a form', () => {
  const found = { name: 'whisper', written: 'whisper' };

  it.each([
    ['in front of the file', field('model', 'whisper') + file('RIFF') + END],
    ['behind the file', file('RIFF') + field('language', 'en') + field('model', 'whisper') + END],
    ['behind an empty field', field('prompt', '') + field('model', 'whisper') + END],
    [
      'behind a file that looks like one',
      file(`\r\n--${BOUNDARY.slice(0, -1)}\r\n\r\n`) + field('model', 'whisper') + END,
    ],
    ['behind a preamble', `This is a form.\r\n${field('model', 'whisper')}${END}`],
    ['with bytes as they are', `${head('model')}Content-Transfer-Encoding: 8bit\r\n\r\nwhisper\r\n${END}`],
    ['in front of a field that is called so', field('model', 'whisper') + field('models', 'other') + END],
    [
      'behind a file that is called so',
      `${head('file', '; filename="a; name=model"')}\r\nRIFF\r\n${field('model', 'whisper')}${END}`,
    ],
    [
      'whose part has it behind other parameters',
      `--${BOUNDARY}\r\ncontent-disposition: form-data; x="; name=y" ; NAME=model\r\n\r\nwhisper\r\n${END}`,
    ],
  ])('is found %s, wherever the form is cut', (_, form) => {
    for (let cut = 0; cut <= form.length; cut += 1) expect(scan(form, [cut])).toEqual(found);
    const eachByte = Array.from({ length: form.length }, (__, at) => at);
    expect(scan(form, eachByte)).toEqual(found);
  });

  it.each([
    ['is not there', file('RIFF') + field('models', 'x') + END],
    ['stands behind the end', file('RIFF') + END + field('model', 'whisper')],
    ['has no end', file('RIFF') + head('model') + '\r\nwhisp'],
    ['is a file of that name', file(`name="model"\r\n\r\nwhisper\r\n`) + END],
  ])('is none where it %s', (_, form) => {
    expect(scan(form)).toBeUndefined();
    expect(scan(form, [7, 60, 61, 90])).toBeUndefined();
  });

  const ONE = field('model', 'whisper');
  const OTHER = '\r\nother\r\n';
  it.each([
    ['comes twice', ONE + field('language', 'en') + field('model', 'other') + END],
    ['comes twice, the same', ONE + ONE + END],
    ['comes twice, once behind a file', ONE + file('RIFF') + field('model', 'other') + END],
    ['is longer than any name', field('model', 'x'.repeat(5_000)) + END],
    ['has a head that is too long', head('model', `; x="${'y'.repeat(9_000)}"`) + OTHER + END],
    ['may stand behind a head that is too long', ONE + head('x', `; x="${'y'.repeat(9_000)}"`) + OTHER + END],
    ['is one of two names of a part', ONE + head('x', '; name="model"') + OTHER + END],
    ['is the name of a part in another character set', ONE + head('x', "; name*=utf-8''model") + OTHER + END],
    ['is a file', head('model', '; filename="m"') + OTHER + END],
    ['is a file in another character set', head('model', "; filename*=utf-8''m") + OTHER + END],
    ['is encoded', `${head('model')}content-transfer-encoding: base64\r\n\r\nd2hpc3Blcg==\r\n${END}`],
    [
      'is in the second of two heads of a part',
      `${ONE}${head('x')}Content-Disposition: form-data; name="model"\r\n${OTHER}${END}`,
    ],
    [
      'is in a line that goes on in the next',
      `${ONE}--${BOUNDARY}\r\ncontent-disposition: form-data;\r\n name="model"\r\n${OTHER}${END}`,
    ],
  ])('is unclear where it %s, wherever the form is cut', (_, form) => {
    for (let cut = 0; cut <= form.length; cut += 1 + (cut >> 6)) expect(scan(form, [cut])).toBe('unclear');
  });

  it('is found behind a file that goes by in pieces of any length', () => {
    const form = file('RIFF\r\n--'.repeat(40)) + field('model', 'whisper') + END;
    for (let length = 1; length <= form.length; length += 1) {
      const cuts = Array.from({ length: Math.floor(form.length / length) }, (_, at) => at * length);
      expect(scan(form, cuts)).toEqual(found);
    }
  });

  it('is the same however any form is cut', () => {
    const part = fc.oneof(
      fc
        .tuple(fc.constantFrom('model', 'language', 'x'), fc.string())
        .map(([name, value]) => field(name, value)),
      fc.uint8Array().map((bytes) => file(Buffer.from(bytes).toString('latin1'))),
      fc.constantFrom(`--${BOUNDARY}`, '\r\n', '\r\n--', END),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat()), (parts, cuts) => {
        const form = parts.join('');
        expect(scan(form, cuts)).toEqual(scan(form));
      }),
    );
  });
});

describe('the boundary of a form', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data; charset=utf-8; Boundary="a b"', 'a b'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    ['multipart/form-data; x=boundary=abc', undefined],
    ['multipart/form-data; boundary=abc; boundary=xyz', undefined],
    ['multipart/form-data; boundary=abc; x=1; BOUNDARY = "xyz"', undefined],
    ['multipart/mixed; boundary=abc', undefined],
    ['application/json; boundary=abc', undefined],
    [undefined, undefined],
  ])('%s', (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });
});
