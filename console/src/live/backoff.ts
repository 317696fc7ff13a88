/** 1, 2, 4 … 30 s, for ever. */
export class Backoff {
  #failures = 0;

  constructor(
    private readonly firstMs = 1000,
    private readonly mostMs = 30_000,
  ) {}

  get failures(): number {
    return this.#failures;
  }

  /** How long to wait after one more failure. */
  next(): number {
    const wait = Math.min(this.mostMs, this.firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return wait;
  }

  reset(): void {
    this.#failures = 0;
  }
}
