/** docs/syscalls.md from the rows of live capture. */
import { i386Numbers, nativeNumbers } from '../server/capture/ebpf/syscall-numbers.ts';
import { GENERIC_EVENT, type SyscallRow, syscallRows } from '../server/capture/ebpf/syscall-rows.ts';
import { mustEventInfo } from '../server/event/event-table.ts';

export function syscallsDoc(): string {
  const rows = [...syscallRows('x64')].sort((a, b) => (a.name < b.name ? -1 : 1));
  const own = rows.filter((row) => row.eventType !== GENERIC_EVENT);
  const generic = rows.filter((row) => row.eventType === GENERIC_EVENT);
  return `# System calls of live capture

What the probe writes when a system call returns. Numbers are those of the kernel on x86_64 and arm64; rows without either are calls of
32-bit x86 processes, whose other calls have the rows of the same calls in 64 bits. A parameter is empty when the memory it comes from
could not be read, and so is I/O data unless a filter or field asks for it.

## With an event of their own

| call | x86_64 | arm64 | event | parameters |
| --- | --- | --- | --- | --- |
${own.map(ownRow).join('\n')}

## With the generic event

Events of type \`${mustEventInfo(GENERIC_EVENT).name}\` with the call's number; \`evt.type\` shows its name.

| call | x86_64 | arm64 |
| --- | --- | --- |
${generic.map((row) => `| ${row.name} | ${numbers(row)} |`).join('\n')}
`;
}

function ownRow(row: SyscallRow): string {
  const { name, params } = mustEventInfo(row.eventType);
  return `| ${row.name} | ${numbers(row)} | ${name} | ${params.map((param) => param.name).join(', ')} |`;
}

function numbers({ name, nr }: SyscallRow): string {
  const isCompatOnly = !nativeNumbers('x64').has(name) && i386Numbers().has(name);
  return `${isCompatOnly ? '' : nr} | ${nativeNumbers('arm64').get(name) ?? ''}`;
}
