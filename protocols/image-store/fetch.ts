// What the store asks of whoever fetches: the bytes of one image from an offset on.

export interface FetchAsk {
  /** Bytes that are kept already; 0 asks for all. */
  readonly offset: number;
  /** Of the answer that they came with: when the source has changed since, all of it is wanted. */
  readonly etag?: string;
  readonly signal: AbortSignal;
}

export type Fetched =
  | {
      readonly kind: "body";
      /** Where it begins: the offset that was asked for, or 0 from a source that cannot or will not resume. */
      readonly from: number;
      /** Of the whole image, where the source says so. */
      readonly totalBytes?: number;
      readonly etag?: string;
      /** Throws when it is cut. */
      readonly chunks: AsyncIterable<Uint8Array>;
      /** Ends it, read or not. */
      close(): void;
    }
  /** The source has no byte at this offset. */
  | { readonly kind: "beyond" }
  /** @param isFinal asking again gives the same answer: a missing image must end the attempt, not repeat it */
  | { readonly kind: "failed"; readonly reason: string; readonly status?: number; readonly isFinal: boolean };

/** Does not throw for what a network or a server does. */
export type Fetch = (ask: FetchAsk) => Promise<Fetched>;
