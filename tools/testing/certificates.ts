import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate with its key, in PEM: what a TLS server or client of Node takes. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAlternativeName: '551d11',
};

/** A certificate authority that lives as long as a test. Its certificates hold from 2000 to 2049. */
export class CertificateAuthority {
  readonly #key: KeyObject;
  readonly #name: Buffer;
  /** What a peer has to trust, in PEM. */
  readonly cert: string;

  constructor(name: string) {
    const { publicKey, privateKey } = newKeys();
    this.#key = privateKey;
    this.#name = distinguishedName(name);
    const isAuthority = extension(OID.basicConstraints, sequence(tag(0x01, Buffer.from([0xff]))));
    this.cert = this.#certify(this.#name, publicKey, isAuthority);
  }

  /** @param names host names and IP addresses, for a server; the first is its common name. */
  issue(...names: [string, ...string[]]): Certificate {
    const { publicKey, privateKey } = newKeys();
    const alternatives = extension(OID.subjectAlternativeName, sequence(...names.map(generalName)));
    return {
      cert: this.#certify(distinguishedName(names[0]), publicKey, alternatives),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  #certify(subject: Buffer, publicKey: KeyObject, extensions: Buffer): string {
    const algorithm = sequence(oid(OID.ecdsaWithSha256));
    const content = sequence(
      tag(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      algorithm,
      this.#name,
      sequence(tag(0x17, Buffer.from('000101000000Z')), tag(0x17, Buffer.from('491231235959Z'))),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tag(0xa3, sequence(extensions)),
    );
    const signature = Buffer.concat([Buffer.from([0]), sign('sha256', content, this.#key)]);
    const lines =
      sequence(content, algorithm, tag(0x03, signature))
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  }
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** DER: a tag, the length, the content. */
function tag(number: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([number, ...size]), content]);
}
const sequence = (...parts: Buffer[]) => tag(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer) => tag(0x02, bytes);
const oid = (hex: string) => tag(0x06, Buffer.from(hex, 'hex'));
const extension = (id: string, value: Buffer) => sequence(oid(id), tag(0x04, value));
const distinguishedName = (name: string) =>
  sequence(tag(0x31, sequence(oid(OID.commonName), tag(0x0c, Buffer.from(name)))));
const generalName = (name: string) =>
  isIP(name) === 4 ? tag(0x87, Buffer.from(name.split('.').map(Number))) : tag(0x82, Buffer.from(name));
