import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

interface Target {
  /** In lower case; an address of IPv6 without its brackets. */
  readonly host: string;
  readonly port: string;
}

/**
 * Whether a list such as `NO_PROXY` names an origin: by its name, a suffix (`.svc`), an address, a network (`10.0.0.0/8`),
 * each but the last with a port if it is for that one only, or by `*`. Names are not resolved.
 */
export function isExcepted(origin: string, except: string): boolean {
  const { protocol, hostname, port } = new URL(origin);
  const usualPort = protocol === 'https:' ? '443' : '80';
  const target = { host: withoutDot(withoutBrackets(hostname.toLowerCase())), port: port || usualPort };
  const rules = except.toLowerCase().split(/[\s,]+/);
  return rules.some((rule) => rule === '*' || (rule !== '' && names(rule, target)));
}

function names(rule: string, { host, port }: Target): boolean {
  const network = /^(.+)\/(\d{1,3})$/.exec(rule);
  if (network) return isWithin(host, withoutBrackets(network[1] ?? ''), Number(network[2]));
  const [name, ofPort] = splitPort(rule);
  if (ofPort !== undefined && ofPort !== port) return false;
  if (isIP(name) !== 0) return isWithin(host, name, bitsOf(name));
  const written = withoutDot(name).replace(/^\*?\./, '');
  // A URL has names with other letters in their encoded form only.
  const suffix = domainToASCII(written) || written;
  return host === suffix || host.endsWith(`.${suffix}`);
}

/** The colons of an address of IPv6 stand in front of no port, unless it is in brackets. */
function splitPort(rule: string): [name: string, port: string | undefined] {
  if (isIP(rule) === 6) return [rule, undefined];
  const [, name = rule, port] = /^(.*?)(?::(\d+))?$/.exec(rule) ?? [];
  return [withoutBrackets(name), port];
}

function isWithin(host: string, network: string, bits: number): boolean {
  if (isIP(network) === 0 || isIP(host) !== isIP(network) || bits > bitsOf(network)) return false;
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}

function bitsOf(address: string): number {
  return isIP(address) === 6 ? 128 : 32;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** A dot at the end says that a name is complete, which keeps resolvers from trying it below their own domains: it is the same name. */
function withoutDot(name: string): string {
  return name.replace(/\.$/, '');
}
