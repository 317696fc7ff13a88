// The server's clock, as measured from /time or by the pings of a live feed.

/** Clocks drift apart by this much a minute at most. */
const DRIFT_MS_PER_MINUTE = 6;
/** A difference that drift and the ways do not explain is a clock that was set. */
const JUMP_MS = 50;

interface Reading {
  offsetMs: number;
  errorMs: number;
  atMs: number;
}

/** Keeps the reading with the shortest round trip, until the clocks may have drifted away from it. */
export class ServerClock {
  #best: Reading | undefined;

  /** `local`: this computer's clock in milliseconds, the one that instants given to `add` are of. */
  constructor(private readonly local: () => number = () => Date.now()) {}

  /** The server said `serverMs` somewhere between two instants of this computer. */
  add(sentMs: number, serverMs: number, receivedMs: number): void {
    // This computer's clock was set in between.
    if (!(receivedMs >= sentMs)) return;
    const offsetMs = serverMs - (sentMs + receivedMs) / 2;
    const errorMs = (receivedMs - sentMs) / 2;
    const best = this.#best;
    const age = best ? Math.max(0, receivedMs - best.atMs) / 60_000 : 0;
    const kept = best ? best.errorMs + age * DRIFT_MS_PER_MINUTE : Infinity;
    const jumped = best && Math.abs(offsetMs - best.offsetMs) > kept + errorMs + JUMP_MS;
    if (jumped || errorMs <= kept) this.#best = { offsetMs, errorMs, atMs: receivedMs };
  }

  get isKnown(): boolean {
    return this.#best !== undefined;
  }

  /** Server minus this computer, in milliseconds; 0 before the first reading. */
  get offsetMs(): number {
    return this.#best?.offsetMs ?? 0;
  }

  /** How far off that may be: half the round trip. */
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
  if (response.ok && Number.isFinite(server)) clock.add(sent, server, received);
}
