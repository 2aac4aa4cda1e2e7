/** What the name of a container's image and the image itself say: repository, tag and digest. Text is binary strings. */
import { listOf, objectOf, textOf } from '../container-json.ts';
import { type ImageName, parseImageName } from './image-name.ts';

/** What an image says of itself: the names it goes by. */
export interface ImageFacts {
  readonly names: readonly ImageName[];
  /** Podman only: digest of its manifest. */
  readonly digest: string;
}

const NO_NAME: ImageName = { repository: '', tag: '', digest: '' };

/** What an image without a tag is taken for, by those who start containers and in Falco's fields. */
const DEFAULT_TAG = 'latest';

const DOCKER_HUB = /^(?:index\.)?docker\.io\/(?:library\/)?/;
const ID_PREFIX = 'sha256:';
const HEX = /^[0-9a-f]+$/;

/** `sha256:` is no part of `container.image.id`. */
export function bareImageId(id: string): string {
  return id.slice(id.indexOf(':') + 1);
}

/** Whether a container was started by an image's id (whole or its beginning, with or without `sha256:`). `imageId` is bare. */
export function isImageId(name: string, imageId: string): boolean {
  return name.startsWith(ID_PREFIX) || (HEX.test(name) && imageId.startsWith(name));
}

export function imageFactsOf(answer: unknown): ImageFacts {
  const image = objectOf(answer);
  if (image === undefined) return { names: [], digest: '' };
  const names = [...listOf(image['RepoDigests']), ...listOf(image['RepoTags'])]
    .map((name) => parseImageName(textOf(name)))
    // Untagged images go by "<none>:<none>".
    .filter((name) => name.repository !== '' && !name.repository.startsWith('<'));
  return { names, digest: textOf(image['Digest']) };
}

/**
 * What `container.image.repository`, `.tag` and `.digest` show of a container started with the image `name`. The name it was
 * started with counts; the image adds what that does not say, and the digest it has in that repository.
 */
export function imageNameOf(name: string, imageId: string, facts: ImageFacts | undefined): ImageName {
  if (name === '') return NO_NAME;
  const names = facts?.names ?? [];
  const isId = isImageId(name, imageId);
  const given = isId ? NO_NAME : parseImageName(name);
  const repository = given.repository || (names[0]?.repository ?? '');
  if (repository === '') return NO_NAME;
  const tag = given.tag || tagIn(names, repository);
  const digest = given.digest || facts?.digest || digestIn(names, repository);
  return { repository, tag: tag || DEFAULT_TAG, digest };
}

function tagIn(names: readonly ImageName[], repository: string): string {
  return names.find((name) => name.tag !== '' && isSameRepository(name.repository, repository))?.tag ?? '';
}

/** That of the repository; when no repository fits, the only one there is: the image was tagged anew without being pushed. */
function digestIn(names: readonly ImageName[], repository: string): string {
  const own = names.find((name) => name.digest !== '' && isSameRepository(name.repository, repository));
  if (own !== undefined) return own.digest;
  const digests = new Set(names.map((name) => name.digest).filter((digest) => digest !== ''));
  const [only] = digests;
  return digests.size === 1 && only !== undefined ? only : '';
}

function isSameRepository(one: string, other: string): boolean {
  return one === other || one.replace(DOCKER_HUB, '') === other.replace(DOCKER_HUB, '');
}
