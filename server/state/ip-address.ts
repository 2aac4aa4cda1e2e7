/** IP addresses as binary strings of 4 or 16 bytes in network byte order, and their text. */

export const ZERO_IPV4 = '\0\0\0\0';
export const ZERO_IPV6 = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
const MAPPED_PREFIX = '\0\0\0\0\0\0\0\0\0\0\xff\xff';

/** Whether no address is set: none at all, or all zero. */
export function isZeroAddress(ip: string): boolean {
  return ip === '' || ip === ZERO_IPV4 || ip === ZERO_IPV6;
}

/** Whether 16 bytes wrap an IPv4 address (`::ffff:a.b.c.d`), or are all zero and may stand for either family. */
export function isMappedIpv4(ip: string): boolean {
  return ip.startsWith(MAPPED_PREFIX) || ip === ZERO_IPV6;
}

/** Text of 4 or 16 bytes; '' for any other length. */
export function ipText(address: string): string {
  if (address.length === 4) return ipv4Text(address, 0);
  if (address.length === 16) return ipv6Text(address);
  return '';
}

/** Dotted text of the four bytes at `at`. */
export function ipv4Text(bytes: string, at: number): string {
  return `${bytes.charCodeAt(at)}.${bytes.charCodeAt(at + 1)}.${bytes.charCodeAt(at + 2)}.${bytes.charCodeAt(at + 3)}`;
}

/** The shortest form: the first longest run of two or more zero groups becomes `::`; embedded IPv4 is dotted. */
function ipv6Text(bytes: string): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes.charCodeAt(i) << 8) | bytes.charCodeAt(i + 1));
  const [start, length] = longestZeroRun(groups);
  const isEmbeddedIpv4 = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  const count = isEmbeddedIpv4 ? 6 : 8;
  let text = '';
  for (let i = 0; i < count; i++) {
    if (i >= start && i < start + length) {
      if (i === start) text += ':';
      continue;
    }
    if (i > 0) text += ':';
    text += (groups[i] as number).toString(16);
  }
  if (isEmbeddedIpv4) return `${text}:${ipv4Text(bytes, 12)}`;
  return start >= 0 && start + length === 8 ? `${text}:` : text;
}

/** `[-1, 0]` when no run has two groups. */
function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let bestStart = -1;
  let bestLength = 0;
  for (let i = 0; i < 8; i++) {
    if (groups[i] !== 0) continue;
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) {
      bestStart = i;
      bestLength = end - i;
    }
    i = end;
  }
  return bestLength < 2 ? [-1, 0] : [bestStart, bestLength];
}
