/**
 * Makes room on the stack of a light skeleton's loader program. libbpf 1.1 reserves slots for the fds of 32 functions there and
 * places further ones beyond the frame, which the kernel refuses. All its accesses are relative to the frame pointer, so the
 * whole frame can be moved down.
 */
const INSN_BYTES = 8;
const FRAME_POINTER = 10;
const SLOT_BYTES = 4;
const STACK_BYTES_MAX = 512;
const MOV64_REG = 0xbf;
const MOV64_IMM = 0xb7;
const ADD64_IMM = 0x07;
const CLASS_MASK = 7;
const LDX = 1;
const ST = 2;
const STX = 3;

/** Whether the instruction at `at` reads or writes the stack. */
function usesStack(insns: Buffer, at: number): boolean {
  const kind = (insns[at] as number) & CLASS_MASK;
  const registers = insns[at + 1] as number;
  if (kind === LDX) return registers >> 4 === FRAME_POINTER;
  return (kind === ST || kind === STX) && (registers & 15) === FRAME_POINTER;
}

/** `insns` with its frame wide enough for all slots it uses; the same bytes when it is. */
export function widenLoaderStack(insns: Buffer): Buffer {
  let end = 0;
  for (let at = 0; at < insns.length; at += INSN_BYTES) {
    if (usesStack(insns, at)) end = Math.max(end, insns.readInt16LE(at + 2) + SLOT_BYTES);
  }
  if (end === 0) return insns;
  const shift = (end + 7) & ~7;
  const wide = Buffer.from(insns);
  for (let at = 0; at < wide.length; at += INSN_BYTES) {
    if (usesStack(wide, at)) wide.writeInt16LE(wide.readInt16LE(at + 2) - shift, at + 2);
    const registers = wide[at + 1] as number;
    const isCopy = wide[at] === MOV64_REG && registers >> 4 === FRAME_POINTER;
    if (isCopy) moveAddress(wide, at + INSN_BYTES, registers & 15, shift);
  }
  // The loader starts by clearing its frame: r6 = context, r1 = address of the frame, r2 = its length.
  const lengthAt = 3 * INSN_BYTES + 4;
  const frame = wide.readInt32LE(lengthAt) + shift;
  if (wide[3 * INSN_BYTES] !== MOV64_IMM || frame !== -wide.readInt32LE(2 * INSN_BYTES + 4)) {
    throw new Error('the loader does not start by clearing its frame');
  }
  if (frame > STACK_BYTES_MAX) throw new Error('more functions than a light skeleton has room for (126)');
  wide.writeInt32LE(frame, lengthAt);
  return wide;
}

/** The addition after a copy of the frame pointer. */
function moveAddress(insns: Buffer, at: number, register: number, shift: number): void {
  if (insns[at] !== ADD64_IMM || ((insns[at + 1] as number) & 15) !== register) {
    throw new Error('the loader takes an address on its stack in an unexpected way');
  }
  insns.writeInt32LE(insns.readInt32LE(at + 4) - shift, at + 4);
}
