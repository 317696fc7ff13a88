// Choices of this browser. Nothing secret, no names of streams.

import { type Signal, effect, signal } from "@preact/signals";

const PREFIX = "streamkeep.";

export function preference<Value extends string>(name: string, fallback: Value): Signal<Value> {
  const value = signal(read(name) as Value ?? fallback);
  let isFirst = true;
  effect(() => {
    const now = value.value;
    if (!isFirst) write(name, now);
    isFirst = false;
  });
  return value;
}

// Storage may be forbidden: then choices last as long as the page.

function read(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // See above.
  }
}
