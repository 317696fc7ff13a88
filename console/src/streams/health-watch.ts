// The health of the streams that are looked at, asked for together, and what their bit rate was.

import { type Signal, signal } from "@preact/signals";
import { isAbort } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import type { HealthEntry } from "../api/types.ts";

const EVERY_MS = 5000;
/** A change of view is asked about after so long: scrolling asks once. */
const SETTLE_MS = 120;
/** Ten minutes of ten seconds. */
const HISTORY = 60;
const SLOT_MS = 10_000;
const STREAMS_PER_CALL = 1000;

export interface Watched {
  entry: HealthEntry;
  /** Bits per second, oldest first, one for ten seconds. */
  rates: (number | null)[];
  /** When the newest slot began. */
  slotAt: number;
}

export class HealthWatch {
  /** Renewed with each answer. */
  readonly known: Signal<ReadonlyMap<string, Watched>> = signal(new Map());
  #wanted: readonly string[] = [];
  /** All of these too, slower: for filters and counts. */
  #swept: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller = new AbortController();
  #isClosed = false;
  #round = 0;

  constructor(private readonly api: Api, private readonly everyMs = EVERY_MS) {}

  /** The streams in view. Those not known yet are asked about soon. */
  want(names: readonly string[]): void {
    this.#wanted = names;
    const { known } = this;
    if (names.some((name) => !known.peek().has(name))) this.#schedule(known.peek().size === 0 ? 0 : SETTLE_MS);
    else if (this.#timer === undefined) this.#schedule(this.everyMs);
  }

  sweep(names: readonly string[]): void {
    const isNew = names.length !== this.#swept.length;
    this.#swept = names;
    if (isNew && names.length > 0) {
      this.#round = 0;
      this.#schedule(SETTLE_MS);
    }
  }

  /** Asks now: the server is back. */
  refresh(): void {
    this.#schedule(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  #schedule(afterMs: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), afterMs);
  }

  async #ask(): Promise<void> {
    this.#controller.abort();
    const controller = this.#controller = new AbortController();
    try {
      if (!document.hidden) {
        const isSweep = this.#swept.length > 0 && this.#round++ % 2 === 0;
        const names = isSweep ? [...new Set([...this.#wanted, ...this.#swept])] : this.#wanted;
        for (let at = 0; at < names.length; at += STREAMS_PER_CALL) {
          const some = names.slice(at, at + STREAMS_PER_CALL);
          const entries = await this.api.getStreamHealth(some, controller.signal);
          this.#keep(entries);
        }
      }
    } catch (error) {
      if (isAbort(error)) return; // another round has begun
    }
    this.#schedule(this.everyMs);
  }

  #keep(entries: HealthEntry[]): void {
    const known = new Map(this.known.peek());
    const now = Date.now();
    for (const entry of entries) known.set(entry.StreamName, follow(known.get(entry.StreamName), entry, now));
    this.known.value = known;
  }
}

/** Adds an answer to what is known. */
export function follow(before: Watched | undefined, entry: HealthEntry, now: number): Watched {
  const rate = entry.Error === null ? entry.BitsPerSecond ?? 0 : null;
  if (!before) return { entry, rates: [rate], slotAt: now };
  const passed = Math.floor((now - before.slotAt) / SLOT_MS);
  if (passed <= 0) return { entry, rates: [...before.rates.slice(0, -1), rate], slotAt: before.slotAt };
  const unseen = Array.from({ length: Math.min(passed - 1, HISTORY) }, () => null);
  return {
    entry,
    rates: [...before.rates, ...unseen, rate].slice(-HISTORY),
    slotAt: before.slotAt + passed * SLOT_MS,
  };
}
