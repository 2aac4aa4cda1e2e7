/** Reads the C header that `bpftool gen skeleton -L` writes: the order of maps and programs, and two byte strings. */
export interface SkeletonHeader {
  readonly maps: readonly string[];
  readonly programs: readonly { readonly name: string; readonly kind: 'tracepoint' | 'iterator' }[];
  readonly data: Buffer;
  readonly insns: Buffer;
}

function names(header: string, descriptor: string): string[] {
  return [...header.matchAll(new RegExp(`struct ${descriptor} (\\w+);`, 'g'))].map(
    (match) => match[1] as string,
  );
}

/** Bytes of the C string literal assigned to `member`. */
function literal(header: string, member: string): Buffer {
  const start = header.indexOf(`opts.${member} = (void *)"`);
  if (start < 0) throw new Error(`the skeleton has no ${member}`);
  const open = header.indexOf('"', start) + 1;
  const text = header.slice(open, header.indexOf('";', open));
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let i = 0; i < text.length; ) {
    if (text[i] !== '\\') {
      bytes[length++] = text.charCodeAt(i++);
    } else if (text[i + 1] === '\n') {
      i += 2;
    } else if (text[i + 1] === 'x') {
      bytes[length++] = Number.parseInt(text.slice(i + 2, i + 4), 16);
      i += 4;
    } else if (text[i + 1] === '0') {
      length++;
      i += 2;
    } else {
      throw new Error(`the skeleton has an escape that is not known: ${text.slice(i, i + 4)}`);
    }
  }
  return bytes.subarray(0, length);
}

export function parseSkeletonHeader(header: string): SkeletonHeader {
  const data = literal(header, 'data');
  const declared = Number(/opts\.data_sz = (\d+);/.exec(header)?.[1]);
  if (data.length !== declared)
    throw new Error(`the skeleton's data has ${data.length} bytes, not ${declared}`);
  const programs = names(header, 'bpf_prog_desc').map((name) => {
    const attach = header.slice(header.indexOf(`__${name}__attach(`));
    const isIterator = /skel_(raw_tracepoint_open|link_create)\(/.exec(attach)?.[1] === 'link_create';
    return { name, kind: isIterator ? ('iterator' as const) : ('tracepoint' as const) };
  });
  return { maps: names(header, 'bpf_map_desc'), programs, data, insns: literal(header, 'insns') };
}
