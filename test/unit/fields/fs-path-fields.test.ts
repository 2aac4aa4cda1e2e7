import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FD_DIRECTORY, FD_FILE_V2 } from '../../../server/state/fd-info.ts';
import type { ParamValue } from '../../helpers/event-builder.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';

function shown(
  code: string,
  params: Readonly<Record<string, ParamValue>>,
  fdNumber = -1,
  ...sides: string[]
): unknown[] {
  const all = new EventContext();
  const { fds } = all.process(1000, 'cat', '/home/');
  fds.set(3, fdOf(FD_FILE_V2, '/srv/f'));
  fds.set(4, fdOf(FD_DIRECTORY, '/srv'));
  const event = all.show(`PPME_SYSCALL_${code}_X`, params, { fdNumber });
  const asked = sides.length > 0 ? sides : ['name', 'nameraw'];
  return asked.map((side) => bindField(`fs.path.${side}`)(event));
}

const PAIR = ['source', 'sourceraw', 'target', 'targetraw'];

describe('the path of a file system call', () => {
  it('starts at the working directory', () => {
    assert.deepEqual(shown('MKDIR_2', { res: 0, path: 'a/../b/', mode: 0 }), ['/home/b', 'a/../b/']);
    assert.deepEqual(shown('MKDIR_2', { res: 0, path: '/a//b/', mode: 0 }), ['/a/b', '/a//b/']);
  });

  it('is absent when the call failed', () => {
    assert.deepEqual(shown('MKDIR_2', { res: -17, path: '/a', mode: 0 }), [undefined, undefined]);
    assert.deepEqual(shown('OPENAT_2', { fd: -1, dirfd: -100, name: '/a', flags: 1 }), [
      undefined,
      undefined,
    ]);
  });

  it('of an open is what was opened, or unknown', () => {
    assert.deepEqual(shown('OPENAT_2', { fd: 3, dirfd: 4, name: 'f', flags: 1 }, 3), ['/srv/f', 'f']);
    assert.deepEqual(shown('OPENAT_2', { fd: -2, dirfd: 4, name: 'g', flags: 1 }), ['<UNKNOWN>', 'g']);
    assert.deepEqual(shown('OPENAT_2', { fd: -2, dirfd: 4, name: '/g', flags: 1 }), ['/g', '/g']);
  });

  it('starts at the directory whose fd the call uses, which the working directory is not', () => {
    assert.deepEqual(shown('UNLINKAT_2', { res: 0, dirfd: 4, name: 'x', flags: 0 }, 4), ['/srv/x', 'x']);
    assert.deepEqual(shown('UNLINKAT_2', { res: 0, dirfd: -100, name: './x', flags: 0 }, -100), [
      '<UNKNOWN>x',
      './x',
    ]);
  });

  it('is the name of the fd where the call has no path', () => {
    assert.deepEqual(shown('FCHMOD', { res: 0, fd: 3, mode: 0 }, 3), ['/srv/f', '/srv/f']);
  });

  it('has two sides for moves and links: a link is the source of what it points to', () => {
    const paths = { oldpath: 'old', newpath: '/new' };
    assert.deepEqual(shown('RENAME', { res: 0, ...paths }, -1, ...PAIR), [
      '/home/old',
      'old',
      '/new',
      '/new',
    ]);
    assert.deepEqual(shown('LINK_2', { res: 0, ...paths }, -1, ...PAIR), [
      '/new',
      '/new',
      '/home/old',
      'old',
    ]);
    assert.deepEqual(shown('SYMLINK', { res: 0, target: 't', linkpath: 'l' }, -1, ...PAIR), [
      '/home/l',
      'l',
      '/home/t',
      't',
    ]);
    assert.deepEqual(shown('RENAME', { res: 0, ...paths }), [undefined, undefined]);
  });
});
