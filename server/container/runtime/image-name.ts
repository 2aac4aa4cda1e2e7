/** Parts of the name of an image: `host:port/path/name:tag@digest`. */

export interface ImageName {
  /** With the registry's host and port, where the name has them. */
  readonly repository: string;
  readonly tag: string;
  /** With its algorithm, such as `sha256:...`. */
  readonly digest: string;
}

/** Parts that are not there are ''. */
export function parseImageName(name: string): ImageName {
  const at = name.indexOf('@');
  const rest = at < 0 ? name : name.slice(0, at);
  const digest = at < 0 ? '' : name.slice(at + 1);
  const colon = rest.lastIndexOf(':');
  // A colon before the last slash belongs to the port.
  if (colon <= rest.lastIndexOf('/')) return { repository: rest, tag: '', digest };
  return { repository: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}
