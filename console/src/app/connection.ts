// Whether the server answers. One place tries again; pages load anew when it is back.

import { signal } from "@preact/signals";

export const isOnline = signal(true);
/** When the last answer came; null before the first. */
export const lastContact = signal<number | null>(null);
/** Epoch milliseconds of the next try, while offline. */
export const nextTry = signal(0);
/** Rises each time the server is back. */
export const reconnections = signal(0);

const WAIT_MAX_MS = 30_000;

let probe: (() => Promise<void>) | undefined;
let waitMs = 1000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** `ask` fails when there is no answer. */
export function watchConnection(ask: () => Promise<void>): void {
  probe = ask;
}

export function answered(): void {
  lastContact.value = Date.now();
  if (isOnline.peek()) return;
  clearTimeout(timer);
  timer = undefined;
  waitMs = 1000;
  isOnline.value = true;
  reconnections.value += 1;
}

export function unreachable(): void {
  isOnline.value = false;
  if (timer !== undefined) return;
  schedule();
}

export function tryNow(): void {
  clearTimeout(timer);
  timer = undefined;
  void attempt();
}

function schedule(): void {
  nextTry.value = Date.now() + waitMs;
  timer = setTimeout(() => {
    timer = undefined;
    void attempt();
  }, waitMs);
  waitMs = Math.min(WAIT_MAX_MS, waitMs * 2);
}

async function attempt(): Promise<void> {
  if (!probe) return;
  try {
    await probe();
    answered();
  } catch {
    if (timer === undefined) schedule();
  }
}

addEventListener("online", () => { if (!isOnline.peek()) tryNow(); });
