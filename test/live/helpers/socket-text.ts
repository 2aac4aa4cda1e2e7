/** Parameters of socket and poll events as texts, to be compared with what a program wrote down about its calls. */

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const PORT_BYTES = 2;
/** Two addresses in memory, of this and of the other end. */
const UNIX_POINTERS_BYTES = 16;
const FDLIST_ENTRY_BYTES = 10;

function ipv6(bytes: Buffer): string {
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += 2) groups.push(bytes.readUInt16BE(i).toString(16));
  if (bytes.subarray(0, 12).toString('hex') === '00000000000000000000ffff') {
    return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  }
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

function endpoint(bytes: Buffer, family: number): string {
  const port = bytes.readUInt16LE(bytes.length - PORT_BYTES);
  const address = bytes.subarray(0, -PORT_BYTES);
  return `${family === AF_INET ? [...address].join('.') : ipv6(address)}:${port}`;
}

/** Without the last NUL, which must be there. */
function unixPath(bytes: Buffer): string {
  return bytes[bytes.length - 1] === 0 ? `unix:${bytes.subarray(0, -1).toString('latin1')}` : 'unterminated';
}

/** `address:port` or `unix:path` of a SOCKADDR parameter's bytes (a binary string). */
export function sockaddrText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const family = bytes[0] ?? 0;
  return family === AF_UNIX ? unixPath(bytes.subarray(1)) : endpoint(bytes.subarray(1), family);
}

/** `source->dest`, or `unix:path`, of a SOCKTUPLE parameter. */
export function tupleText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const family = bytes[0] ?? 0;
  if (family === AF_UNIX) return unixPath(bytes.subarray(1 + UNIX_POINTERS_BYTES));
  if (family !== AF_INET && family !== AF_INET6) return `family ${family}`;
  const half = (bytes.length - 1) / 2;
  const [source, dest] = [bytes.subarray(1, 1 + half), bytes.subarray(1 + half)];
  return `${endpoint(source, family)}->${endpoint(dest, family)}`;
}

/** `fd:events` of each entry of an FDLIST parameter. */
export function fdListText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const entries: string[] = [];
  for (let i = 0; i < bytes.readUInt16LE(0); i++) {
    const at = 2 + i * FDLIST_ENTRY_BYTES;
    entries.push(`${bytes.readBigInt64LE(at)}:${bytes.readUInt16LE(at + 8)}`);
  }
  return entries.join(' ');
}
