// Fragments of a stream, newest first. ListFragments tells them from the oldest on, so it is asked for one
// stretch of time after the other, each before the last; where nothing is recorded they grow, where much is they shrink.

import { type Signal, signal } from "@preact/signals";
import { type ApiError, asApiError, isAbort } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import type { FragmentInfo } from "../api/types.ts";

export interface Fragments {
  /** Newest first. */
  rows: readonly FragmentInfo[];
  isLoading: boolean;
  /** Nothing older is kept. */
  isComplete: boolean;
  error: ApiError | null;
}

const PAGE = 1000;
const STRETCH_MS = 600_000;
const STRETCH_MS_MIN = 60_000;
const STRETCH_MS_MAX = 7 * 86_400_000;
const FACTOR = 4;
/** Fragments do not come evenly. */
const ROOM = 0.8;
/** Fewer than this ask for a longer stretch the next time. */
const FEW = 200;
/** More that came meanwhile are not worth joining: the list begins anew. */
const NEWER_PAGES_MAX = 3;

const msOf = (fragment: FragmentInfo) => Math.round(fragment.ServerTimestamp * 1000);

export class FragmentList {
  readonly state: Signal<Fragments> = signal({ rows: [], isLoading: false, isComplete: false, error: null });
  #controller = new AbortController();
  #stretchMs = STRETCH_MS;
  /** All from here on is known. */
  #oldestMs = 0;
  /** All before here is known. */
  #newestMs = 0;
  #isAsking = false;

  /** `sinceMs`: nothing older is kept. */
  constructor(
    private readonly api: Pick<Api, "listFragments">, private readonly stream: string,
    private readonly now: () => number, private readonly sinceMs: () => number,
  ) {
    this.#begin(Math.floor(now()));
  }

  /** The next older ones. Over a time without recordings it goes on until there are some. */
  async older(): Promise<void> {
    if (this.state.peek().isComplete) return;
    await this.#asking(async (signal) => {
      let stretchMax = STRETCH_MS_MAX;
      for (;;) {
        const floor = this.sinceMs();
        if (this.#oldestMs <= floor) {
          this.#say({ isComplete: true });
          return;
        }
        const to = this.#oldestMs - 1;
        const from = Math.max(floor, this.#oldestMs - this.#stretchMs);
        const found = await this.#page(from, to, undefined, signal);
        if (found.NextToken && this.#stretchMs > STRETCH_MS_MIN) {
          // The newest of them are at the end of many pages: as much time as one page may hold is enough.
          const last = found.Fragments.at(-1);
          const page = last ? ROOM * (msOf(last) - from) : 0;
          stretchMax = this.#stretchMs = Math.max(STRETCH_MS_MIN, Math.min(page, ROOM * this.#stretchMs));
          continue;
        }
        const rows = [...found.Fragments, ...(await this.#rest(from, to, found.NextToken, Infinity, signal) ?? [])];
        this.#oldestMs = from;
        if (rows.length < FEW) this.#stretchMs = Math.min(stretchMax, this.#stretchMs * FACTOR);
        if (rows.length === 0) continue;
        this.#say({ rows: [...this.state.peek().rows, ...newestFirst(rows)] });
        return;
      }
    });
  }

  /** What has come since. */
  async newer(): Promise<void> {
    await this.#asking(async (signal) => {
      const to = Math.floor(this.now());
      const from = this.#newestMs;
      if (to <= from) return;
      const found = await this.#rest(from, to, undefined, NEWER_PAGES_MAX, signal);
      const known = this.state.peek().rows;
      if (!found) {
        this.#begin(to);
        this.#say({ rows: [], isComplete: false });
        return;
      }
      this.#newestMs = Math.max(from, to - LATE_MS);
      const numbers = new Set(known.slice(0, 2 * PAGE).map(({ FragmentNumber }) => FragmentNumber));
      const fresh = newestFirst(found).filter(({ FragmentNumber }) => !numbers.has(FragmentNumber));
      if (fresh.length === 0) return;
      this.#say({ rows: [...newestFirst([...fresh, ...known.slice(0, OVERLAP)]), ...known.slice(OVERLAP)] });
    });
  }

  #begin(at: number): void {
    this.#oldestMs = at;
    // What was being stored then has a time from before.
    this.#newestMs = at - LATE_MS;
  }

  close(): void {
    this.#controller.abort();
  }

  async #asking(ask: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#isAsking || this.#controller.signal.aborted) return;
    this.#isAsking = true;
    this.#say({ isLoading: true });
    try {
      await ask(this.#controller.signal);
      this.#say({ isLoading: false, error: null });
    } catch (error) {
      if (!isAbort(error)) this.#say({ isLoading: false, error: asApiError(error, "ListFragments") });
    } finally {
      this.#isAsking = false;
    }
  }

  /** Page after page, null beyond so many. */
  async #rest(from: number, to: number, next: string | null | undefined, pagesMax: number, signal: AbortSignal): Promise<FragmentInfo[] | null> {
    const rows: FragmentInfo[] = [];
    if (next === null) return rows;
    let token = next;
    for (let page = 0; page < pagesMax; page++) {
      const { Fragments, NextToken } = await this.#page(from, to, token, signal);
      rows.push(...Fragments);
      if (!NextToken) return rows;
      token = NextToken;
    }
    return null;
  }

  #page(from: number, to: number, next: string | undefined, signal: AbortSignal) {
    return this.api.listFragments({
      StreamName: this.stream, MaxResults: PAGE, ...(next ? { NextToken: next } : {}),
      FragmentSelector: {
        FragmentSelectorType: "SERVER_TIMESTAMP",
        TimestampRange: { StartTimestamp: from / 1000, EndTimestamp: to / 1000 },
      },
    }, signal);
  }

  #say(patch: Partial<Fragments>): void {
    if (!this.#controller.signal.aborted) this.state.value = { ...this.state.peek(), ...patch };
  }
}

/** A fragment has its time when it begins, and is listed when it is stored. */
const LATE_MS = 20_000;
/** Among so many of the known ones it may lie. */
const OVERLAP = 200;

function newestFirst(rows: readonly FragmentInfo[]): FragmentInfo[] {
  return [...rows].sort((a, b) => msOf(b) - msOf(a));
}
