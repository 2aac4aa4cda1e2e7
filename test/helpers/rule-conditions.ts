/** Conditions of the shape rule files expand to: a few macros over and over, own lists, own texts; made from a seed. */

const MACROS: readonly string[] = [
  '(evt.type in (execve, execveat) and evt.arg.res = 0)',
  "(evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.typechar = 'f' and fd.num >= 0)",
  "(evt.type in (open, openat, openat2) and evt.is_open_write = true and fd.typechar = 'f' and fd.num >= 0)",
  '(evt.type in (sendto, sendmsg, connect) and evt.dir = < and fd.typechar in (4, 6) and (fd.connected = true or evt.res = EINPROGRESS))',
  '(evt.type in (accept, accept4, listen) and evt.res != EAGAIN)',
  '(evt.type in (rename, renameat, renameat2, unlink, unlinkat, rmdir))',
  '(evt.type in (mkdir, mkdirat, chmod, fchmod, fchmodat) and proc.name != sshd)',
  '(evt.type in (setuid, setgid, setresuid, ptrace, capset, setns, unshare))',
];

const EXCEPTIONS: readonly string[] = [
  'proc.name in (dpkg, apt, apt-get, aptitude, rpm, yum, dnf, microdnf, snapd, frontend)',
  '(proc.pname in (sshd, systemd, cron, anacron) or proc.aname[2] in (sshd, cron, sudo))',
  '(user.name = root and proc.cmdline contains "--config")',
  '(proc.exepath startswith /usr/lib/systemd or proc.exepath = /usr/bin/systemctl)',
  '(container.id != host and proc.pname exists and container.image.repository in (registry/a, registry/b))',
  '(fd.name startswith /proc/self or fd.name startswith /dev/)',
];

const DIRECTORIES: readonly string[] = [
  '/etc',
  '/root',
  '/usr/bin',
  '/boot',
  '/var/lib',
  '/home',
  '/sys/kernel',
  '/tmp',
];

/** A 7-clause rule: reads of credentials by what is no login program. */
export const ONE_RULE =
  'evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.typechar = f and fd.name startswith /etc and not proc.name in (sshd, login, su, sudo) and proc.pname != systemd and proc.cmdline contains cat';

/** `count` different conditions; the same for the same seed. */
export function ruleConditions(count: number, seed = 1): string[] {
  let state = seed * 0x9e3779b9;
  const below = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  const pick = (texts: readonly string[]): string => texts[below(texts.length)] as string;
  const own = (i: number): string => {
    const directory = pick(DIRECTORIES);
    switch (below(5)) {
      case 0:
        return `(fd.name startswith ${directory}/app${i} or fd.directory in (${directory}, ${directory}/app${i}))`;
      case 1:
        return `(proc.name in (tool${i}, nc, ncat, socat${i}) or proc.cmdline contains "--flag${i}")`;
      case 2:
        return `proc.args icontains secret${i} and proc.tty != 0`;
      case 3:
        return `(fd.name pmatch (${directory}, /opt/app${i}) and not fd.name endswith .log${i})`;
      default:
        return `(proc.cmdline glob "*curl*host${i % 10}*" or proc.aname in (shell${i}, agent))`;
    }
  };
  return Array.from({ length: count }, (_, i) => {
    const exceptions = Array.from({ length: 1 + below(3) }, () => `and not ${pick(EXCEPTIONS)}`);
    return [pick(MACROS), `and ${own(i)}`, ...new Set(exceptions)].join(' ');
  });
}
