// The server's clock, as measured from /time.

export interface ClockReading {
  /** Server minus this computer, in milliseconds. */
  offsetMs: number;
  /** How far off the reading may be: half the round trip. */
  errorMs: number;
}

/** One reading: the server's time belongs to the middle of the round trip. */
export function reading(sentMs: number, serverMs: number, receivedMs: number): ClockReading {
  return {
    offsetMs: serverMs - (sentMs + receivedMs) / 2,
    errorMs: Math.max(0, (receivedMs - sentMs) / 2),
  };
}

/** Keeps the reading with the shortest round trip, until the clock drifts away from it. */
export class ServerClock {
  /** Clocks drift apart by this much a minute at most. */
  static readonly DRIFT_MS_PER_MINUTE = 6;
  #best: (ClockReading & { atMs: number }) | undefined;

  constructor(private readonly local: () => number = () => Date.now()) {}

  add(found: ClockReading): void {
    const atMs = this.local();
    const age = this.#best ? Math.max(0, atMs - this.#best.atMs) / 60_000 : 0;
    const kept = this.#best ? this.#best.errorMs + age * ServerClock.DRIFT_MS_PER_MINUTE : Infinity;
    // The computer's clock was set: the old reading is about another clock.
    const jumped = this.#best &&
      Math.abs(found.offsetMs - this.#best.offsetMs) > kept + found.errorMs + 50;
    if (jumped || found.errorMs <= kept) this.#best = { ...found, atMs };
  }

  get isKnown(): boolean {
    return this.#best !== undefined;
  }

  /** Server minus this computer. */
  get offsetMs(): number {
    return this.#best?.offsetMs ?? 0;
  }

  get errorMs(): number {
    return this.#best?.errorMs ?? Infinity;
  }

  /** The server's time now, epoch milliseconds. */
  now(): number {
    return this.local() + this.offsetMs;
  }
}

export async function measure(base: string, clock: ServerClock, signal?: AbortSignal): Promise<void> {
  const sent = Date.now();
  const response = await fetch(new URL("/time", base), { cache: "no-store", ...(signal ? { signal } : {}) });
  const received = Date.now();
  const server = Date.parse((await response.text()).trim());
  if (response.ok && Number.isFinite(server)) clock.add(reading(sent, server, received));
}
