/** The images of the lab: tools to run in containers, with users of their own, and what holds a pod open. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ImageArchive, imageArchive } from './image-archive.ts';
import type { TarEntry } from './tar-archive.ts';

/** A user that no host has, and one whose number is another one's on Debian. */
export const LAB_USER = { name: 'labuser', uid: 4711, gid: 4712, group: 'labgroup' } as const;
export const RENAMED_USER = { name: 'notdaemon', uid: 1, gid: 1, group: 'notdaemons' } as const;

const TOOLS_IMAGE = 'localhost/lab/tools:1';
const PAUSE_IMAGE = 'localhost/lab/pause:1';
const BUSYBOX = '/bin/busybox';
const APPLETS = [
  'sh',
  'cat',
  'echo',
  'id',
  'ls',
  'nc',
  'sleep',
  'su',
  'test',
  'touch',
  'true',
  'usleep',
  'wc',
];

const PASSWD = `root:x:0:0:root of the image:/root:/bin/sh
${RENAMED_USER.name}:x:${RENAMED_USER.uid}:${RENAMED_USER.gid}::/:/bin/sh
${LAB_USER.name}:x:${LAB_USER.uid}:${LAB_USER.gid}:Lab User:/tmp:/bin/sh
`;
const GROUP = `root:x:0:
${RENAMED_USER.group}:x:${RENAMED_USER.gid}:
${LAB_USER.group}:x:${LAB_USER.gid}:${RENAMED_USER.name}
`;

export interface LabImages {
  readonly tools: ImageArchive;
  readonly pause: ImageArchive;
  /** The tools to be run as a user, by the user's name: for a runtime that has no option for it. */
  readonly toolsAs: ReadonlyMap<string, ImageArchive>;
  /** Path of an image's file. */
  fileOf(image: ImageArchive): string;
}

/** Writes both into `folder`. Needs busybox (static) and gcc. */
export function makeLabImages(folder: string): LabImages {
  mkdirSync(folder, { recursive: true });
  const tools = toolsImage(TOOLS_IMAGE, '');
  const pause = pauseImage(folder);
  const toolsAs = new Map(
    [LAB_USER, RENAMED_USER].map(({ name }) => [name, toolsImage(`localhost/lab/tools-as-${name}:1`, name)]),
  );
  const fileOf = (image: ImageArchive): string => join(folder, `${image.id.slice(0, 12)}.tar`);
  for (const image of [tools, pause, ...toolsAs.values()]) writeFileSync(fileOf(image), image.bytes);
  return { tools, pause, toolsAs, fileOf };
}

function toolsImage(name: string, user: string): ImageArchive {
  const folders: TarEntry[] = ['bin', 'dev', 'etc', 'proc', 'root', 'sys'].map((path) => ({
    path,
    kind: 'folder',
  }));
  const links: TarEntry[] = APPLETS.map((applet) => ({
    path: `bin/${applet}`,
    kind: 'link',
    target: 'busybox',
  }));
  return imageArchive({
    name,
    files: [
      ...folders,
      { path: 'tmp', kind: 'folder', mode: 0o1777 },
      { path: 'bin/busybox', kind: 'file', content: readFileSync(BUSYBOX), mode: 0o755 },
      ...links,
      { path: 'etc/passwd', kind: 'file', content: PASSWD },
      { path: 'etc/group', kind: 'file', content: GROUP },
    ],
    config: {
      Cmd: ['/bin/sh'],
      Env: ['PATH=/bin', 'IMAGE_VARIABLE=of the image'],
      Labels: { 'image.label': 'made' },
      User: user,
    },
  });
}

function pauseImage(folder: string): ImageArchive {
  const source = fileURLToPath(new URL('pause.c', import.meta.url));
  const program = join(folder, 'pause');
  execFileSync('gcc', ['-static', '-Os', '-s', '-o', program, source], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return imageArchive({
    name: PAUSE_IMAGE,
    files: [{ path: 'pause', kind: 'file', content: readFileSync(program), mode: 0o755 }],
    config: { Entrypoint: ['/pause'] },
  });
}
