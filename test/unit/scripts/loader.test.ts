/** What build-probe makes of the output of its tools. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { widenLoaderStack } from '../../../scripts/loader-stack.ts';
import { parseSkeletonHeader } from '../../../scripts/skeleton-header.ts';

const HEADER = `
struct x {
	struct bpf_loader_ctx ctx;
	struct {
		struct bpf_map_desc rings;
		struct bpf_map_desc config;
	} maps;
	struct {
		struct bpf_prog_desc sys_exit;
		struct bpf_prog_desc each_task;
	} progs;
};
static inline int
x__sys_exit__attach(struct x *skel)
{
	int fd = skel_raw_tracepoint_open(NULL, prog_fd);
}
static inline int
x__each_task__attach(struct x *skel)
{
	int fd = skel_link_create(prog_fd, 0, BPF_TRACE_ITER);
}
	opts.data_sz = 6;
	opts.data = (void *)"\\
\\0\\x9f\\xeb\\
A\\x01\\0";
	opts.insns_sz = 2;
	opts.insns = (void *)"\\
\\xbf\\x16";
`;

test('a skeleton header gives order, kinds and bytes', () => {
  const { maps, programs, data, insns } = parseSkeletonHeader(HEADER);
  assert.deepEqual(maps, ['rings', 'config']);
  assert.deepEqual(programs, [
    { name: 'sys_exit', kind: 'tracepoint' },
    { name: 'each_task', kind: 'iterator' },
  ]);
  assert.equal(data.toString('hex'), '009feb410100');
  assert.equal(insns.toString('hex'), 'bf16');
});

test('data that is not as long as declared is refused', () => {
  assert.throws(() => parseSkeletonHeader(HEADER.replace('data_sz = 6', 'data_sz = 7')));
});

/** An instruction: code, registers, offset, immediate. */
function insn(code: number, destination: number, source: number, offset: number, immediate: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = code;
  bytes[1] = destination | (source << 4);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate, 4);
  return bytes;
}

const START = [
  insn(0xbf, 6, 1, 0, 0),
  insn(0xbf, 1, 10, 0, 0),
  insn(0x07, 1, 0, 0, -136),
  insn(0xb7, 2, 0, 0, 136),
];
const STORE = 0x63;
const LOAD = 0x61;

test('a loader that fits is left as it is', () => {
  const insns = Buffer.concat([...START, insn(STORE, 10, 7, -4, 0)]);
  assert.equal(widenLoaderStack(insns), insns);
});

test('a loader that stores beyond its frame gets one that is wide enough', () => {
  const insns = Buffer.concat([
    ...START,
    insn(STORE, 10, 7, -128, 0),
    insn(STORE, 10, 7, 4, 0),
    insn(LOAD, 1, 10, 4, 0),
    insn(LOAD, 1, 6, 4, 0),
  ]);
  const expected = Buffer.concat([
    insn(0xbf, 6, 1, 0, 0),
    insn(0xbf, 1, 10, 0, 0),
    insn(0x07, 1, 0, 0, -144),
    insn(0xb7, 2, 0, 0, 144),
    insn(STORE, 10, 7, -136, 0),
    insn(STORE, 10, 7, -4, 0),
    insn(LOAD, 1, 10, -4, 0),
    insn(LOAD, 1, 6, 4, 0),
  ]);
  assert.equal(widenLoaderStack(insns).toString('hex'), expected.toString('hex'));
});

test('a frame that the kernel would refuse is refused at once', () => {
  const insns = Buffer.concat([...START, insn(STORE, 10, 7, 400, 0)]);
  assert.throws(() => widenLoaderStack(insns), /126/);
});
