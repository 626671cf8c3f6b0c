import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { loadServiceConfig } from './load-service-config.ts';
import { setting } from './setting.ts';

const schema = z.strictObject({
  proxy: setting(z.string().optional(), { env: 'HTTPS_PROXY', doc: 'The proxy.' }),
  except: setting(z.string().default(''), { env: 'NO_PROXY', doc: 'Exceptions.' }),
});

describe('loadServiceConfig', () => {
  it('takes the names of proxies in lower case as well; those in capitals win', () => {
    expect(loadServiceConfig(schema, { https_proxy: 'http://p', no_proxy: 'a' })).toEqual({
      proxy: 'http://p',
      except: 'a',
    });
    expect(loadServiceConfig(schema, { https_proxy: 'http://p', HTTPS_PROXY: 'http://q' }).proxy).toBe(
      'http://q',
    );
  });

  it.each(['ALL_PROXY', 'all_proxy'])('takes %s where nothing is said of a kind of URL', (name) => {
    expect(loadServiceConfig(schema, { [name]: 'http://p' }).proxy).toBe('http://p');
    expect(loadServiceConfig(schema, { [name]: 'http://p', https_proxy: 'http://q' }).proxy).toBe('http://q');
  });

  it('does not take a proxy that it does not use for a typing error', () => {
    expect(loadServiceConfig(schema, { http_proxy: 'http://p' }).proxy).toBeUndefined();
    expect(loadServiceConfig(schema, { HTTP_PROXY: 'http://p' }).proxy).toBeUndefined();
  });

  it('does not take the key that the tools of this project send for one', () => {
    const own = z.strictObject({
      keys: setting(z.array(z.string()).default([]), { env: 'API_KEYS', doc: '' }),
    });
    expect(loadServiceConfig(own, { MORGAN_API_KEY: 'abc' }).keys).toEqual([]);
    expect(() => loadServiceConfig(own, { MORGAN_API_KEYS: 'abc' })).toThrow('API_KEYS is one');
  });

  it('names a file that is named by nearly the right variable', () => {
    expect(() => loadServiceConfig(schema, { MORGAN_CONFG: '/etc/morgan.yaml' })).toThrow(
      'MORGAN_CONFIG is one',
    );
  });
});
