/** One request in the air; of those that are asked for meanwhile the newest wins. */
export class Newest<Q, A> {
  #inAir: AbortController | null = null;
  #next: { question: Q } | null = null;
  #isEnded = false;

  constructor(
    private readonly ask: (question: Q, signal: AbortSignal) => Promise<A>,
    private readonly onAnswer: (question: Q, answer: A) => void,
  ) {}

  want(question: Q): void {
    if (this.#isEnded) return;
    this.#next = { question };
    // Its end starts the next one, so that two are never in the air.
    if (this.#inAir) this.#inAir.abort();
    else void this.#run();
  }

  /** Nothing is wanted any more. */
  drop(): void {
    this.#next = null;
    this.#inAir?.abort();
  }

  end(): void {
    this.#isEnded = true;
    this.drop();
  }

  async #run(): Promise<void> {
    while (this.#next) {
      const { question } = this.#next;
      this.#next = null;
      const controller = new AbortController();
      this.#inAir = controller;
      try {
        const answer = await settled(this.ask(question, controller.signal), controller.signal);
        if (!controller.signal.aborted) this.onAnswer(question, answer);
      } catch {
        // No picture: the next wish asks again.
      }
    }
    this.#inAir = null;
  }
}

/** Ends with the abort also where the request itself does not heed it. */
function settled<A>(answer: Promise<A>, signal: AbortSignal): Promise<A> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    answer.then(resolve, reject);
  });
}
