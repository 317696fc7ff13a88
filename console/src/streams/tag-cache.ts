// Tags of streams, while one is signed in: of those in view, of all when something is asked about all, and of one
// whose zone is wanted. A thousand a call, one call at a time; who waits for one stream does not wait behind those.

import { type Signal, signal } from "@preact/signals";
import { asApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";

export type Tags = Record<string, string>;
type Source = Pick<Api, "getStreamTags">;

const STREAMS_PER_CALL = 1000;
/** Some 200 bytes each. */
const KEPT = 100_000;
/** After a call that failed as a whole. */
const PAUSE_MS = 2000;

interface Kept {
  /** Null: they may not be read, or there is no such stream. */
  tags: Tags | null;
  round: number;
}

export class TagCache {
  /** Of the streams whose tags may be read. */
  readonly known: Signal<ReadonlyMap<string, Tags>> = signal(new Map());
  /** How many of those that are swept are known or cannot be. */
  readonly swept: Signal<{ done: number; of: number }> = signal({ done: 0, of: 0 });
  #kept = new Map<string, Kept>();
  #round = 0;
  #inView: readonly string[] = [];
  #all: readonly string[] = [];
  /** Where the sweep has come to: all before are known or on their way. */
  #at = 0;
  #asked = new Map<string, ((tags: Tags | null) => void)[]>();
  #isRunning = false;
  #isAsking = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  static #of = new WeakMap<Source, TagCache>();

  /** One for each sign-in. */
  static of(api: Source): TagCache {
    const found = TagCache.#of.get(api) ?? new TagCache(api);
    TagCache.#of.set(api, found);
    return found;
  }

  constructor(private readonly api: Source) {}

  /** Those in view: they come first. */
  want(names: readonly string[]): void {
    this.#inView = names;
    void this.#run();
  }

  /** All of these. None: no more than those in view. */
  sweep(names: readonly string[]): void {
    this.#all = names;
    this.#at = 0;
    this.#show();
    void this.#run();
  }

  /** Those of one stream; null when they cannot be had. */
  ask(name: string): Promise<Tags | null> {
    const kept = this.#kept.get(name);
    if (kept) return Promise.resolve(kept.tags);
    return new Promise((resolve) => {
      this.#asked.set(name, [...(this.#asked.get(name) ?? []), resolve]);
      void this.#runAsked();
    });
  }

  /** Null when they may not be read, undefined while they are not known. */
  tagsOf(name: string): Tags | null | undefined {
    return this.known.value.get(name) ?? (this.#kept.has(name) ? null : undefined);
  }

  /** They were changed: asked for anew. */
  forget(names: readonly string[]): void {
    for (const name of names) this.#kept.delete(name);
    this.#at = 0;
    this.#show();
    void this.#run();
  }

  /** Others may have changed them: what is looked at is asked for once more, and shown as it was until then. */
  renew(): void {
    this.#round += 1;
    this.#at = 0;
    this.#show();
    void this.#run();
  }

  /** Nobody looks any more. What is known is kept. */
  close(): void {
    this.#inView = [];
    this.#all = [];
  }

  async #run(): Promise<void> {
    if (this.#isRunning || this.#pause !== undefined) return;
    this.#isRunning = true;
    try {
      for (let names = this.#next(); names.length > 0; names = this.#next()) {
        this.#keep(await this.api.getStreamTags(names));
      }
    } catch (error) {
      this.#failed(asApiError(error).isDenied);
    } finally {
      this.#isRunning = false;
    }
  }

  async #runAsked(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    await Promise.resolve(); // those of one moment are one call
    for (let names = this.#nextAsked(); names.length > 0; names = this.#nextAsked()) {
      // Whoever waits is told that they could not be had; they are asked for again when they are wanted again.
      await this.api.getStreamTags(names).then((entries) => this.#keep(entries), () => {});
      for (const name of names) this.#answer(name, null);
    }
    this.#isAsking = false;
  }

  #nextAsked(): string[] {
    return [...this.#asked.keys()].slice(0, STREAMS_PER_CALL);
  }

  #next(): string[] {
    const names = new Set(this.#inView.filter((name) => this.#isMissing(name)).slice(0, STREAMS_PER_CALL));
    while (this.#at < this.#all.length && names.size < STREAMS_PER_CALL) {
      const name = this.#all[this.#at++] ?? "";
      if (this.#isMissing(name)) names.add(name);
    }
    return [...names];
  }

  #isMissing(name: string): boolean {
    const kept = this.#kept.get(name);
    return kept === undefined || kept.round < this.#round;
  }

  #keep(entries: Awaited<ReturnType<Source["getStreamTags"]>>): void {
    for (const entry of entries) {
      const tags = entry.Error === null ? entry.Tags : null;
      if (this.#kept.size >= KEPT) this.#kept.delete(this.#kept.keys().next().value ?? "");
      this.#kept.set(entry.StreamName, { tags, round: this.#round });
      this.#answer(entry.StreamName, tags);
    }
    this.#show();
  }

  #answer(name: string, tags: Tags | null): void {
    for (const resolve of this.#asked.get(name) ?? []) resolve(tags);
    this.#asked.delete(name);
  }

  /** As a whole: it is tried again, unless it is not allowed. */
  #failed(isDenied: boolean): void {
    this.#at = 0;
    if (isDenied) this.close();
    if (isDenied || (this.#inView.length === 0 && this.#all.length === 0)) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      void this.#run();
    }, PAUSE_MS);
  }

  #show(): void {
    const known = new Map<string, Tags>();
    for (const [name, { tags }] of this.#kept) if (tags) known.set(name, tags);
    this.known.value = known;
    const missing = this.#all.reduce((count, name) => count + (this.#isMissing(name) ? 1 : 0), 0);
    this.swept.value = { done: this.#all.length - missing, of: this.#all.length };
  }
}
