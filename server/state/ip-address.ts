/** IP addresses as binary strings of 4 or 16 bytes in network byte order. */

export const ZERO_IPV4 = '\0\0\0\0';
export const ZERO_IPV6 = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
const MAPPED_PREFIX = '\0\0\0\0\0\0\0\0\0\0\xff\xff';
const COMPATIBLE_PREFIX = ZERO_IPV6.slice(0, 12);

/** Whether no address is set: none at all, or all zero. */
export function isZeroAddress(ip: string): boolean {
  return ip === '' || ip === ZERO_IPV4 || ip === ZERO_IPV6;
}

/** Whether 16 bytes wrap an IPv4 address (`::ffff:a.b.c.d`), or are all zero and may stand for either family. */
export function isMappedIpv4(ip: string): boolean {
  return ip.startsWith(MAPPED_PREFIX) || ip === ZERO_IPV6;
}

/** `1.2.3.4` or the shortest IPv6 text (RFC 5952, dotted tail for wrapped IPv4); an absent address is `0.0.0.0`. */
export function formatAddress(ip: string): string {
  if (ip.length === 16) return formatIpv6(ip);
  return ip === '' ? '0.0.0.0' : formatIpv4(ip, 0);
}

function formatIpv4(ip: string, at: number): string {
  return `${ip.charCodeAt(at)}.${ip.charCodeAt(at + 1)}.${ip.charCodeAt(at + 2)}.${ip.charCodeAt(at + 3)}`;
}

function formatIpv6(ip: string): string {
  if (ip.startsWith(MAPPED_PREFIX)) return `::ffff:${formatIpv4(ip, 12)}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(ip.charCodeAt(i) * 256 + ip.charCodeAt(i + 1));
  if (ip.startsWith(COMPATIBLE_PREFIX) && groups[6] !== 0) return `::${formatIpv4(ip, 12)}`;
  const [start, length] = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): readonly [start: number, length: number] {
  let best = 0;
  let bestLength = 0;
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length <= bestLength) continue;
    best = i;
    bestLength = length;
  }
  return [best, bestLength];
}
