// The health of the streams that are looked at, asked for together, with what their bit rate was.

import { type Signal, signal } from "@preact/signals";
import { isAbort } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import type { HealthEntry } from "../api/types.ts";

const EVERY_MS = 5000;
/** A change of view is asked about after so long: scrolling asks once. */
const SETTLE_MS = 120;
const HISTORY_MINUTES = 10;
/** One for ten seconds. */
const RATES_MAX = 60;
const STREAMS_PER_CALL = 1000;

export interface Watched {
  entry: HealthEntry;
  /** Bits per second, oldest first, one for ten seconds; of the streams in view. */
  rates: (number | null)[] | null;
}

interface Options {
  everyMs?: number;
  /** What the bit rates were, too: some 400 bytes a stream. */
  hasRates?: boolean;
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

  readonly #everyMs: number;
  readonly #hasRates: boolean;

  constructor(private readonly api: Api, { everyMs = EVERY_MS, hasRates = true }: Options = {}) {
    this.#everyMs = everyMs;
    this.#hasRates = hasRates;
  }

  /** The streams in view. Those not known yet are asked about soon. */
  want(names: readonly string[]): void {
    this.#wanted = names;
    const { known } = this;
    const isKnown = (watched: Watched | undefined) => watched !== undefined && (!this.#hasRates || watched.rates !== null || watched.entry.Error !== null);
    if (names.some((name) => !isKnown(known.peek().get(name)))) this.#schedule(known.peek().size === 0 ? 0 : SETTLE_MS);
    else if (this.#timer === undefined) this.#schedule(this.#everyMs);
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
        await this.#askFor(this.#wanted, this.#hasRates ? HISTORY_MINUTES : 0, controller.signal);
        if (isSweep) {
          const inView = new Set(this.#wanted);
          await this.#askFor(this.#swept.filter((name) => !inView.has(name)), 0, controller.signal);
        }
      }
    } catch (error) {
      if (isAbort(error)) return; // another round has begun
    }
    this.#schedule(this.#everyMs);
  }

  async #askFor(names: readonly string[], historyMinutes: number, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < names.length; at += STREAMS_PER_CALL) {
      const some = names.slice(at, at + STREAMS_PER_CALL);
      this.#keep(await this.api.getStreamHealth(some, { historyMinutes, signal }));
    }
  }

  #keep(entries: HealthEntry[]): void {
    const known = new Map(this.known.peek());
    for (const entry of entries) known.set(entry.StreamName, watchedOf(entry));
    this.known.value = known;
  }
}

/** The server's steps that are over, and the rate of now. */
export function watchedOf(entry: HealthEntry): Watched {
  const history = entry.Error === null ? entry.BitRateHistory?.BitsPerSecond : undefined;
  if (!history || entry.Error !== null) return { entry, rates: null };
  return { entry, rates: [...history.slice(1 - RATES_MAX), entry.BitsPerSecond ?? 0] };
}
