/** Types for the part of cli-progress that the command uses; the package brings none. */
declare module 'cli-progress/cli-progress.js' {
  export interface BarOptions {
    readonly stream?: NodeJS.WriteStream;
    readonly format?: string | Format<never>;
    readonly clearOnComplete?: boolean;
    readonly hideCursor?: boolean;
    readonly etaBuffer?: number;
    readonly noTTYOutput?: boolean;
    readonly fps?: number;
    readonly barsize?: number;
    readonly barCompleteString?: string;
    readonly barIncompleteString?: string;
  }

  export interface BarParams {
    /** 0 to 1. */
    readonly progress: number;
    /** Seconds; a text such as `NULL` or `INF` while unknown. */
    readonly eta: number | string;
    readonly value: number;
    readonly total: number;
  }

  export type Format<Payload> = (options: BarOptions, params: BarParams, payload: Payload) => string;

  export class SingleBar {
    constructor(options: BarOptions, preset?: BarOptions);
    start(total: number, startValue: number, payload?: object): void;
    update(value: number, payload?: object): void;
    stop(): void;
  }

  export const Presets: { readonly shades_classic: BarOptions };
}
