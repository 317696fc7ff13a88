// Newest pictures of the streams in view: the first alone, for on a slow line four at a time come late all four;
// then four at a time. Given up when scrolled away.

import { type Signal, signal } from "@preact/signals";
import { isAbort } from "../api/error.ts";
import { imageBlob, type Api } from "../api/operations.ts";

const AT_ONCE = 4;
const RENEW_MS = 30_000;
/** Pictures kept for scrolling back. */
const KEPT = 200;

export interface Thumbnail {
  url: string | null;
  /** Of the frame, epoch milliseconds. */
  atMs: number | null;
}

export interface Wanted {
  name: string;
  /** Server time of the newest fragment, seconds. */
  at: number;
}

export class Thumbnails {
  readonly known: Signal<ReadonlyMap<string, Thumbnail>> = signal(new Map());
  #wanted: Wanted[] = [];
  #running = new Map<string, AbortController>();
  #askedAt = new Map<string, { at: number; ms: number }>();
  #isClosed = false;

  constructor(private readonly api: Api, private readonly widthPixels = 160) {}

  want(wanted: Wanted[]): void {
    this.#wanted = wanted;
    const names = new Set(wanted.map(({ name }) => name));
    for (const [name, controller] of this.#running) if (!names.has(name)) controller.abort();
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#running.values()) controller.abort();
    for (const { url } of this.known.peek().values()) if (url) URL.revokeObjectURL(url);
  }

  #next(): void {
    while (!this.#isClosed && this.#running.size < (this.known.peek().size === 0 ? 1 : AT_ONCE)) {
      const next = this.#wanted.find((one) => !this.#running.has(one.name) && this.#isDue(one));
      if (!next) return;
      void this.#ask(next);
    }
  }

  /** Never asked; or the stream has gone on since, and some time has passed. */
  #isDue({ name, at }: Wanted): boolean {
    const asked = this.#askedAt.get(name);
    return !asked || (at > asked.at && Date.now() - asked.ms > RENEW_MS);
  }

  async #ask({ name, at }: Wanted): Promise<void> {
    const controller = new AbortController();
    this.#running.set(name, controller);
    try {
      const [found] = await this.api.getThumbnails(
        { StreamName: name, Timestamps: [at], WidthPixels: this.widthPixels }, controller.signal,
      );
      const url = found?.ImageContent ? URL.createObjectURL(imageBlob(found.ImageContent)) : null;
      this.#askedAt.set(name, { at, ms: Date.now() });
      // A picture that could not be made does not take the last one away.
      if (url || !this.known.peek().get(name)?.url) {
        const frame = found?.FrameTimestamp ?? found?.TimeStamp;
        this.#keep(name, { url, atMs: frame ? frame * 1000 : null });
      }
    } catch (error) {
      if (!isAbort(error)) {
        this.#askedAt.set(name, { at, ms: Date.now() });
        // Known to have none, for now: nobody waits for it.
        if (!this.known.peek().has(name)) this.#keep(name, { url: null, atMs: null });
      }
    } finally {
      this.#running.delete(name);
      this.#next();
    }
  }

  #keep(name: string, thumbnail: Thumbnail): void {
    if (this.#isClosed) {
      if (thumbnail.url) URL.revokeObjectURL(thumbnail.url);
      return;
    }
    const known = new Map(this.known.peek());
    const old = known.get(name);
    if (old?.url) URL.revokeObjectURL(old.url);
    known.delete(name);
    known.set(name, thumbnail);
    for (const [oldest, { url }] of known) {
      if (known.size <= KEPT) break;
      if (this.#wanted.some((one) => one.name === oldest)) continue;
      if (url) URL.revokeObjectURL(url);
      known.delete(oldest);
      this.#askedAt.delete(oldest);
    }
    this.known.value = known;
  }
}
