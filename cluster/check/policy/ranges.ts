/** Ranges of addresses as numbers, IPv4 and IPv6 alike: first and last address of `10.0.0.0/8` or `fc00::/7`. */
export interface Range {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly last: bigint;
}

function ipv6(address: string): bigint | undefined {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  if (groups.length !== 8 || groups.some((group) => !/^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function ipv4(address: string): bigint | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

/** The range that a CIDR means; undefined where it is none. */
export function parseRange(cidr: string): Range | undefined {
  const [address = '', prefix = ''] = cidr.split('/');
  const bits = address.includes(':') ? 128 : 32;
  const start = bits === 128 ? ipv6(address) : ipv4(address);
  if (start === undefined || !/^\d+$/.test(prefix) || Number(prefix) > bits) return undefined;
  const size = 1n << BigInt(bits - Number(prefix));
  const first = start - (start % size);
  return { bits, first, last: first + size - 1n };
}

/** Where a house is: RFC 1918, and IPv6's unique local (RFC 4193) and link-local (RFC 4291). */
const HOME = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10'];

const within = (inner: Range, outer: Range): boolean =>
  inner.bits === outer.bits && inner.first >= outer.first && inner.last <= outer.last;

/** The home ranges that a block reaches although it is larger than they are: whole ones that no exception covers. */
export function homeReached(cidr: string, except: readonly string[]): string[] {
  const block = parseRange(cidr);
  if (block === undefined) return [];
  const holes = except.map(parseRange).filter((range) => range !== undefined);
  return HOME.filter((name) => {
    const home = parseRange(name);
    return home !== undefined && within(home, block) && cidr !== name && !holes.some((hole) => within(home, hole));
  });
}
