import { proxyUrl, setting } from '@morgan/foundation';
import { z } from 'zod';

/** The `proxy` section: the way out, for the model hub and for hosts elsewhere. */
export const proxyConfig = z
  .strictObject({
    url: setting(proxyUrl.optional(), {
      env: 'HTTPS_PROXY',
      doc: 'The forward proxy to `https:` origins, which is asked to CONNECT: the model hub and embedding hosts elsewhere. `http:` ones are met directly. Where it is not set, `ALL_PROXY`.',
      secret: true,
    }),
    except: setting(z.string().default(''), {
      env: 'NO_PROXY',
      doc: 'Hosts that are met without it: names, suffixes such as `.svc`, addresses, networks such as `10.0.0.0/8`, `host:port` or `*`, separated by commas.',
    }),
  })
  .prefault({});
