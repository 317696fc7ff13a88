// Tags of the streams in view. There is no call for the tags of many, so few are asked at a time.

import { type Signal, signal } from "@preact/signals";
import { isAbort } from "../api/error.ts";
import type { Api } from "../api/operations.ts";

const AT_ONCE = 2;
const KEPT = 2000;

export class TagCache {
  readonly known: Signal<ReadonlyMap<string, Record<string, string>>> = signal(new Map());
  #wanted: readonly string[] = [];
  #running = new Map<string, AbortController>();
  #failed = new Set<string>();
  #isClosed = false;

  constructor(private readonly api: Api) {}

  want(names: readonly string[]): void {
    this.#wanted = names;
    const wanted = new Set(names);
    for (const [name, controller] of this.#running) if (!wanted.has(name)) controller.abort();
    this.#next();
  }

  /** They were changed: asked for anew. */
  forget(names: readonly string[]): void {
    const known = new Map(this.known.peek());
    for (const name of names) known.delete(name);
    this.known.value = known;
    this.#next();
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#running.values()) controller.abort();
  }

  #next(): void {
    while (!this.#isClosed && this.#running.size < AT_ONCE) {
      const known = this.known.peek();
      const next = this.#wanted.find((name) => !known.has(name) && !this.#running.has(name) && !this.#failed.has(name));
      if (next === undefined) return;
      void this.#ask(next);
    }
  }

  async #ask(name: string): Promise<void> {
    const controller = new AbortController();
    this.#running.set(name, controller);
    try {
      const tags = await this.api.listTags(name, controller.signal);
      const known = new Map(this.known.peek());
      if (known.size >= KEPT) known.delete(known.keys().next().value ?? "");
      known.set(name, tags);
      this.known.value = known;
    } catch (error) {
      // Not allowed, perhaps: the list does without.
      if (!isAbort(error)) this.#failed.add(name);
    } finally {
      this.#running.delete(name);
      this.#next();
    }
  }
}
