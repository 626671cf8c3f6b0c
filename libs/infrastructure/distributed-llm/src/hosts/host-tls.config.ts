import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setting } from '@morgan/foundation';
import { z } from 'zod';

const pem = z.string().min(1);
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** How an `https:` host is met, in PEM. It is read here, so that a file that was mixed up is found before any call is made. */
export const hostTls = z
  .strictObject({
    ca: setting(pem.refine(areCertificates, 'must be one or more certificates in PEM').optional(), {
      doc: 'The certificates, in PEM, one of which must have signed that of the host.',
    }),
    cert: setting(pem.refine(areCertificates, 'must be a certificate in PEM, with its chain').optional(), {
      doc: 'The certificate, in PEM, that the gateway shows.',
    }),
    key: setting(
      pem
        .refine(
          (text) => privateKeyIn(text) !== undefined,
          'must be a private key in PEM, without a passphrase',
        )
        .optional(),
      { doc: 'Its private key, in PEM, without a passphrase.', secret: true },
    ),
    servername: setting(z.string().min(1).optional(), {
      doc: 'The name that is asked for, and that its certificate must have, where it is not that of the URL.',
    }),
  })
  .superRefine(({ cert, key }, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (cert === undefined && key === undefined) return;
    if (cert === undefined) return fault('cert', 'is needed with a key');
    if (key === undefined) return fault('key', 'is needed with a certificate');
    const [own] = certificatesIn(cert);
    const ownKey = privateKeyIn(key);
    if (own && ownKey && !own.checkPrivateKey(ownKey)) fault('key', 'is not the key of the certificate');
  });

function areCertificates(text: string): boolean {
  return certificatesIn(text).length > 0;
}

/** None where one of them cannot be read. */
function certificatesIn(text: string): X509Certificate[] {
  try {
    return (text.match(BLOCK) ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function privateKeyIn(text: string) {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}
