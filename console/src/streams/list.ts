// All streams, loaded page by page and kept as one array.

import { type Signal, signal } from "@preact/signals";
import { type ApiError, asApiError, isAbort } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import type { StreamInfo } from "../api/types.ts";

const PAGE = 1000;
const EVERY_MS = 30_000;
/** Until there is a stream, somebody waits for one. */
const EVERY_MS_EMPTY = 3000;

export interface List {
  streams: StreamInfo[];
  /** Pages are still on their way. */
  isLoading: boolean;
  /** At least once all pages came. */
  isComplete: boolean;
  error: ApiError | undefined;
}

/** Who comes back to the list sees it as it was while it is loaded anew. */
const kept = new WeakMap<Api, List & { at: number }>();

export class StreamList {
  readonly state: Signal<List>;
  #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** `mayBeKept`: a list that came lately does. */
  constructor(private readonly api: Api, { mayBeKept = false } = {}) {
    const known = kept.get(api);
    this.state = signal(known ?? { streams: [], isLoading: true, isComplete: false, error: undefined });
    const age = known ? Date.now() - known.at : Infinity;
    if (mayBeKept && age < EVERY_MS) this.#later(EVERY_MS - age);
    else void this.load();
  }

  async load(): Promise<void> {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#controller.abort();
    const controller = this.#controller = new AbortController();
    const before = this.state.peek();
    this.state.value = { ...before, isLoading: true };
    const streams: StreamInfo[] = [];
    try {
      let next: string | undefined;
      do {
        const page = await this.api.listStreams({ max: PAGE, ...(next ? { next } : {}) }, controller.signal);
        streams.push(...page.StreamInfoList);
        next = page.NextToken ?? undefined;
        // The first time what has come is shown; later a list that shrinks for a moment would jump.
        if (next && !before.isComplete) this.state.value = { ...this.state.peek(), streams: [...streams], error: undefined };
      } while (next);
      this.state.value = { streams, isLoading: false, isComplete: true, error: undefined };
      kept.set(this.api, { ...this.state.peek(), at: Date.now() });
    } catch (error) {
      if (isAbort(error)) return;
      this.state.value = { ...this.state.peek(), isLoading: false, error: asApiError(error) };
    }
    const { isComplete } = this.state.peek();
    const wait = isComplete && streams.length === 0 ? EVERY_MS_EMPTY : EVERY_MS;
    if (!this.#isClosed) this.#timer = setTimeout(() => (document.hidden ? this.#later(wait) : void this.load()), wait);
  }

  #later(wait: number): void {
    this.#timer = setTimeout(() => (document.hidden ? this.#later(wait) : void this.load()), wait);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}
