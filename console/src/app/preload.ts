// The places that are gone to most are there before, and the player: on a slow line their code takes seconds.

import { effect } from "@preact/signals";
import { session } from "./session.ts";

/** The page that was signed in to has what it needs by then. */
const AFTER_MS = 1500;

export function preloadAfterSignIn(): void {
  const dispose = effect(() => {
    if (!session.value) return;
    const { connection } = navigator as { connection?: { saveData?: boolean } };
    if (!connection?.saveData) setTimeout(() => void load(), AFTER_MS);
    queueMicrotask(() => dispose());
  });
}

async function load(): Promise<void> {
  // What cannot be loaded now is loaded when it is gone to.
  await Promise.allSettled([import("../pages/wall/wall-page.tsx"), import("../pages/stream/stream.tsx")]);
  await import("hls.js").catch(() => {});
}
