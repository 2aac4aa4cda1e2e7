/** What images say of themselves, by id: many containers share few images. */
import { type ImageFacts, imageFactsOf } from './docker-image.ts';
import type { HttpConnection } from './http-connection.ts';

const IMAGES_MAX = 1024;

const NOTHING: ImageFacts = { names: [], digest: '' };

export class HttpImageCache {
  private readonly connection: HttpConnection;
  private readonly pathOf: (imageId: string) => string;
  private readonly images: Map<string, ImageFacts>;
  /** Answers to what was asked before the last `clear` are not kept. */
  private generation: number;

  constructor(connection: HttpConnection, pathOf: (imageId: string) => string) {
    this.connection = connection;
    this.pathOf = pathOf;
    this.images = new Map();
    this.generation = 0;
  }

  find(imageId: string): ImageFacts | undefined {
    return this.images.get(imageId);
  }

  /** Rejects with RuntimeError. An image that is gone (the container still runs from it) says nothing. */
  async get(imageId: string, signal: AbortSignal): Promise<ImageFacts> {
    const known = this.images.get(imageId);
    if (known !== undefined) return known;
    const generation = this.generation;
    const answer = await this.connection.get(this.pathOf(imageId), signal);
    const facts = answer === undefined ? NOTHING : imageFactsOf(answer);
    if (generation === this.generation) this.keep(imageId, facts);
    return facts;
  }

  /** Names of images have changed. */
  clear(): void {
    this.images.clear();
    this.generation++;
  }

  private keep(imageId: string, facts: ImageFacts): void {
    const [oldest] = this.images.keys();
    if (this.images.size >= IMAGES_MAX && oldest !== undefined) this.images.delete(oldest);
    this.images.set(imageId, facts);
  }
}
