/** Which image a container of CRI runs: runtimes and versions say it in different members. */
import { type JsonObject, textOf } from '../container-json.ts';
import { firstText, objectAt } from './grpc-values.ts';
import { parseImageName } from './image-name.ts';

export interface CriImage {
  readonly image: string;
  /** Hex digits without the algorithm; '' when no member says it. */
  readonly imageId: string;
  readonly imageRepository: string;
  readonly imageTag: string;
  readonly imageDigest: string;
}

const SHA256 = 'sha256:';

/** Annotations of the OCI spec that hold the name where the status has only a digest. */
const NAME_ANNOTATIONS = [
  'io.kubernetes.cri.image-name',
  'io.kubernetes.cri-o.Image',
  'io.kubernetes.cri-o.ImageName',
];

/** `status`: of a container, or its row of a list; `info`: the JSON of a verbose answer. */
export function criImageOf(status: JsonObject, info: JsonObject | undefined): CriImage {
  const spec = textOf(objectAt(status, 'image')?.['image']);
  const reference = textOf(status['image_ref']);
  const digestAt = reference.indexOf(SHA256);
  const isNamed = digestAt > 0 && reference[digestAt - 1] === '@';
  const digest = digestAt === 0 || isNamed ? reference.slice(digestAt) : '';

  // `repository@digest` is the name of what runs; the tag it was asked for by is only in the spec.
  let name = isNamed ? reference.slice(0, digestAt - 1) : spec;
  let tag = isNamed ? parseImageName(spec).tag : '';
  if (name === '' || name.startsWith(SHA256)) {
    const annotations = objectAt(info, 'runtimeSpec', 'annotations');
    name = firstText(...NAME_ANNOTATIONS.map((key) => annotations?.[key])) || name;
    tag = '';
  }
  const parts = parseImageName(name);
  const hasOwnTag = tag === '' || parts.tag !== '';
  return {
    image: hasOwnTag ? name : `${name}:${tag}`,
    imageId: imageIdOf(status, info, reference),
    imageRepository: name.startsWith(SHA256) ? '' : parts.repository,
    imageTag: name.startsWith(SHA256) ? '' : hasOwnTag ? parts.tag : tag,
    imageDigest: digest || parts.digest,
  };
}

/** An image id without its algorithm; '' for what is no id. */
export function bareImageId(text: string): string {
  return text.startsWith(SHA256) ? text.slice(SHA256.length) : '';
}

function imageIdOf(status: JsonObject, info: JsonObject | undefined, reference: string): string {
  // kubelet asks for images by id.
  const asked = textOf(objectAt(info, 'config', 'image')?.['image']);
  const told = textOf(status['image_id']);
  return (
    bareImageId(asked) ||
    bareImageId(told) ||
    bareImageId(reference) ||
    (/^[0-9a-f]{64}$/.test(told) ? told : '')
  );
}
