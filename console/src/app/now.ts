// One clock tick for all that shows ages.

import { signal } from "@preact/signals";
import { clock } from "./session.ts";

/** The server's time, renewed every second. */
export const serverNow = signal(clock.now());

setInterval(() => { if (!document.hidden) serverNow.value = clock.now(); }, 1000);
document.addEventListener("visibilitychange", () => { serverNow.value = clock.now(); });
