// What lies over the page: the palette, or the keys. Both are loaded when they are wanted.

import { signal } from "@preact/signals";

export type Overlay = "palette" | "keys";

export const overlay = signal<Overlay | null>(null);

export function toggleOverlay(which: Overlay): void {
  overlay.value = overlay.peek() === which ? null : which;
}

/** Keys that were pressed while the palette was on its way: they are not for what has the focus until then. */
export class TypedAhead {
  text = "";
  isEntered = false;
  #end = new AbortController();

  constructor() {
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
      if (event.key === "Enter") this.isEntered = true;
      else if (event.key === "Escape") overlay.value = null;
      else if (event.key === "Backspace") this.text = this.text.slice(0, -1);
      else if (event.key.length === 1) this.text += event.key;
      else return;
      event.preventDefault();
    }, { capture: true, signal: this.#end.signal });
  }

  /** The field takes over. */
  take(): string {
    this.#end.abort();
    return this.text;
  }
}
