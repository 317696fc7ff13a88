// Whether the server has another page than this one. It was upgraded while the page was open then, and the parts
// of this page that are not loaded yet are gone.

import { effect, signal } from "@preact/signals";
import { reconnections } from "./connection.ts";
import { BASE } from "./routes.ts";

export const isUpgraded = signal(false);

const LOOK_EVERY_MS = 10 * 60_000;

/** What the page is made of; the names carry hashes. */
const parts = [...document.querySelectorAll("script[src], link[rel=stylesheet]")]
  .map((element) => element.getAttribute("src") ?? element.getAttribute("href") ?? "");

async function lookForUpgrade(): Promise<void> {
  if (isUpgraded.peek()) return;
  // It is asked for again when something is missing.
  const response = await fetch(`${BASE}/`, { cache: "no-cache" }).catch(() => null);
  if (!response?.ok) return;
  const page = await response.text();
  isUpgraded.value = parts.some((part) => !page.includes(part));
}

export function watchForUpgrade(): void {
  // A server that was away may be another.
  effect(() => { if (reconnections.value > 0) void lookForUpgrade(); });
  addEventListener("vite:preloadError", () => void lookForUpgrade());
  setInterval(() => { if (!document.hidden) void lookForUpgrade(); }, LOOK_EVERY_MS);
}
