import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareImageId, imageFactsOf, imageNameOf } from '../../../server/container/runtime/docker-image.ts';

const ID = 'ddcca4b8a6f0367b5de2764dfe76b0a4bfa6d75237932185923705da47004347';

const CASES: readonly [string, object | undefined, string, [string, string, string]][] = [
  ['the name counts', undefined, 'redis:7', ['redis', '7', '']],
  ['latest without a tag', undefined, 'redis', ['redis', 'latest', '']],
  ['a port is no tag', undefined, 'r.example:5000/a/b', ['r.example:5000/a/b', 'latest', '']],
  ['a digest in the name', undefined, 'redis@sha256:aa', ['redis', 'latest', 'sha256:aa']],
  ['both in the name', undefined, 'r:5000/x:1@sha256:aa', ['r:5000/x', '1', 'sha256:aa']],
  ['nothing for no name', { RepoTags: ['redis:7'] }, '', ['', '', '']],
  [
    'digest of its repository',
    { RepoDigests: ['a@sha256:aa', 'redis@sha256:bb'] },
    'redis:7',
    ['redis', '7', 'sha256:bb'],
  ],
  [
    'the hub goes without saying',
    { RepoDigests: ['a@sha256:aa', 'redis@sha256:bb'] },
    'docker.io/library/redis:7',
    ['docker.io/library/redis', '7', 'sha256:bb'],
  ],
  [
    'the only digest of an image tagged anew',
    { RepoDigests: ['a@sha256:aa', 'b@sha256:aa'] },
    'mine:1',
    ['mine', '1', 'sha256:aa'],
  ],
  ['none of several', { RepoDigests: ['a@sha256:aa', 'b@sha256:bb'] }, 'mine:1', ['mine', '1', '']],
  [
    "Podman's own digest",
    { Digest: 'sha256:cc', RepoDigests: ['a@sha256:aa'] },
    'a:1',
    ['a', '1', 'sha256:cc'],
  ],
  [
    'tag for a name with a digest only',
    { RepoTags: ['b:1', 'redis:7'] },
    'redis@sha256:aa',
    ['redis', '7', 'sha256:aa'],
  ],
  [
    'started by id',
    { RepoTags: ['a:1', 'redis:7'], RepoDigests: ['redis@sha256:aa'] },
    ID,
    ['redis', '7', 'sha256:aa'],
  ],
  ['started by a part of its id', { RepoTags: ['redis:7'] }, 'ddcca4', ['redis', '7', '']],
  ['with sha256', { RepoTags: ['redis:7'] }, 'sha256:ddcca4', ['redis', '7', '']],
  [
    'started by id, without a name',
    { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] },
    `sha256:${ID}`,
    ['', '', ''],
  ],
  ['started by id, image unknown', undefined, `sha256:${ID}`, ['', '', '']],
  ['a name that could be hexadecimal', { RepoTags: ['cafe:2'] }, 'cafe', ['cafe', '2', '']],
  [
    'other types are nothing',
    { RepoTags: 'redis:7', RepoDigests: [5, null], Digest: {} },
    'redis',
    ['redis', 'latest', ''],
  ],
];

for (const [title, answer, name, [repository, tag, digest]] of CASES) {
  test(`names of an image: ${title}`, () => {
    const facts = answer === undefined ? undefined : imageFactsOf(answer);
    assert.deepEqual(imageNameOf(name, ID, facts), { repository, tag, digest });
  });
}

test('the id of an image goes without its algorithm', () => {
  assert.equal(bareImageId(`sha256:${ID}`), ID);
  assert.equal(bareImageId(ID), ID);
  assert.equal(bareImageId(''), '');
});
