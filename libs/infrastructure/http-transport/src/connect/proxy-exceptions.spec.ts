import { describe, expect, it } from '@jest/globals';
import { isExcepted } from './proxy-exceptions.ts';

describe('what is met without a proxy', () => {
  it.each([
    ['https://api.example/v1', 'api.example'],
    ['https://api.example/v1', 'other.example, API.example'],
    ['https://gpu.ns.svc/v1', '.svc'],
    ['https://gpu.ns.svc/v1', '*.svc'],
    ['https://gpu.ns.svc/v1', 'svc'],
    ['https://api.example:8443/v1', 'api.example:8443'],
    ['https://api.example/v1', 'api.example:443'],
    ['http://api.example/v1', 'api.example:80'],
    ['https://anything.example', '*'],
    ['http://10.1.2.3:8000/v1', '10.1.2.3'],
    ['http://10.1.2.3:8000/v1', '10.1.2.3:8000'],
    ['http://10.1.2.3:8000/v1', '127.0.0.1,10.0.0.0/8'],
    ['http://192.168.7.9/v1', '192.168.0.0/16'],
    ['http://[::1]:8000/v1', '::1'],
    ['http://[::1]:8000/v1', '[::1]:8000'],
    ['http://[fd00::1]/v1', 'fd00:0:0:0::1'],
    ['http://[fd12::1]/v1', 'fd00::/8'],
  ])('is %s with %s', (origin, except) => {
    expect(isExcepted(origin, except)).toBe(true);
  });

  it.each([
    ['https://api.example/v1', ''],
    ['https://api.example/v1', ' , '],
    ['https://api.example/v1', 'pi.example'],
    ['https://api.example/v1', 'api.example:8443'],
    ['https://api.example.evil/v1', 'api.example'],
    ['http://11.1.2.3/v1', '10.0.0.0/8'],
    ['http://10.1.2.3/v1', '10.0.0.0/33'],
    ['http://10.1.2.3/v1', 'fd00::/8'],
    ['http://api.example/v1', '0.0.0.0/0'],
    ['http://[fe00::1]/v1', 'fd00::/8'],
    ['http://[::2]:1/v1', '::1'],
  ])('is not %s with %j', (origin, except) => {
    expect(isExcepted(origin, except)).toBe(false);
  });
});
