/** The server's clock, from pings: the one with the shortest way says most. */

interface Sample {
  roundTripMs: number;
  offsetMs: number;
}

/** A minute of pings: old ones would hide that a clock drifts. */
const SAMPLES_MAX = 12;

export class ServerClock {
  #samples: Sample[] = [];

  /** `sentAt` and `receivedAt` by our clock, `serverAt` by the server's, in milliseconds. */
  add(sentAt: number, serverAt: number, receivedAt: number): void {
    const roundTripMs = receivedAt - sentAt;
    // Our clock was set in between.
    if (!(roundTripMs >= 0)) return;
    this.#samples.push({ roundTripMs, offsetMs: serverAt - (sentAt + receivedAt) / 2 });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  /** Server minus ours; null before the first answer. The error is at most half the round trip. */
  get offsetMs(): number | null {
    return this.#best()?.offsetMs ?? null;
  }

  get roundTripMs(): number | null {
    return this.#best()?.roundTripMs ?? null;
  }

  /** Our instant on the server's clock. */
  serverTime(ours: number): number {
    return ours + (this.offsetMs ?? 0);
  }

  #best(): Sample | null {
    return this.#samples.reduce<Sample | null>(
      (best, sample) => (best === null || sample.roundTripMs < best.roundTripMs ? sample : best),
      null,
    );
  }
}
