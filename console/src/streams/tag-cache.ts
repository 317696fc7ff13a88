// Tags of the streams in view, and of all of them when something is asked about all. There is no call for
// the tags of many, so few are asked at a time.

import { type Signal, signal } from "@preact/signals";
import { asApiError, isAbort } from "../api/error.ts";
import type { Api } from "../api/operations.ts";

export type Tags = Record<string, string>;

const AT_ONCE = 2;
const KEPT = 20_000;
/** Half of what the service allows an account: others list tags as well. */
const SWEEP_EVERY_MS = 40;
/** Refused for asking too often. */
const PAUSE_MS = 1000;
/** Many answers are shown as one. */
const SHOW_AFTER_MS = 100;

export class TagCache {
  readonly known: Signal<ReadonlyMap<string, Tags>> = signal(new Map());
  /** How many of those that are swept are known or cannot be. */
  readonly swept: Signal<{ done: number; of: number }> = signal({ done: 0, of: 0 });
  #tags = new Map<string, Tags>();
  #wanted: readonly string[] = [];
  #all: readonly string[] = [];
  /** Where the sweep has come to: all before are done or on their way. */
  #at = 0;
  #running = new Map<string, AbortController>();
  #failed = new Set<string>();
  #isClosed = false;
  #sweepTimer: ReturnType<typeof setTimeout> | undefined;
  #showTimer: ReturnType<typeof setTimeout> | undefined;
  #sweepFrom = 0;

  constructor(private readonly api: Pick<Api, "listTags">) {}

  want(names: readonly string[]): void {
    this.#wanted = names;
    const wanted = new Set(names);
    for (const [name, controller] of this.#running) {
      if (!wanted.has(name) && this.#all.length === 0) controller.abort();
    }
    this.#next();
  }

  /** All of these, one after the other; those in view first. None: no more than those. */
  sweep(names: readonly string[]): void {
    this.#all = names;
    this.#at = 0;
    this.#show();
    this.#next();
  }

  /** They were changed: asked for anew. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      this.#tags.delete(name);
      this.#failed.delete(name);
    }
    this.#at = 0;
    this.#show();
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#sweepTimer);
    clearTimeout(this.#showTimer);
    for (const controller of this.#running.values()) controller.abort();
  }

  #next(): void {
    while (!this.#isClosed && this.#running.size < AT_ONCE) {
      const inView = this.#wanted.find((name) => this.#isMissing(name));
      const next = inView ?? this.#nextSwept();
      if (next === undefined) return;
      void this.#ask(next);
    }
  }

  #isMissing(name: string): boolean {
    return !this.#tags.has(name) && !this.#running.has(name) && !this.#failed.has(name);
  }

  #nextSwept(): string | undefined {
    while (this.#at < this.#all.length && !this.#isMissing(this.#all[this.#at] ?? "")) this.#at += 1;
    if (this.#at >= this.#all.length) return undefined;
    const wait = this.#sweepFrom - Date.now();
    if (wait > 0) {
      this.#sweepTimer ??= setTimeout(() => {
        this.#sweepTimer = undefined;
        this.#next();
      }, wait);
      return undefined;
    }
    this.#sweepFrom = Date.now() + SWEEP_EVERY_MS;
    return this.#all[this.#at];
  }

  async #ask(name: string): Promise<void> {
    const controller = new AbortController();
    this.#running.set(name, controller);
    try {
      const tags = await this.api.listTags(name, controller.signal);
      if (this.#tags.size >= KEPT) this.#tags.delete(this.#tags.keys().next().value ?? "");
      this.#tags.set(name, tags);
      this.#showTimer ??= setTimeout(() => this.#show(), this.#all.length > 0 ? SHOW_AFTER_MS : 0);
    } catch (error) {
      if (!isAbort(error)) this.#refused(name, asApiError(error).exception);
    } finally {
      this.#running.delete(name);
      this.#next();
    }
  }

  #refused(name: string, exception: string): void {
    if (exception !== "ClientLimitExceededException") {
      // Not allowed, perhaps: the list does without.
      this.#failed.add(name);
      this.#showTimer ??= setTimeout(() => this.#show(), SHOW_AFTER_MS);
      return;
    }
    this.#at = 0;
    this.#sweepFrom = Date.now() + PAUSE_MS;
    if (!this.#wanted.includes(name)) return;
    // In view it would be asked for again at once.
    this.#failed.add(name);
    setTimeout(() => {
      this.#failed.delete(name);
      this.#next();
    }, PAUSE_MS);
  }

  #show(): void {
    clearTimeout(this.#showTimer);
    this.#showTimer = undefined;
    if (this.#isClosed) return;
    this.known.value = new Map(this.#tags);
    const done = this.#all.reduce((count, name) => count + (this.#tags.has(name) || this.#failed.has(name) ? 1 : 0), 0);
    this.swept.value = { done, of: this.#all.length };
  }
}
