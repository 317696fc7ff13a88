// Keys of the page. Single letters work only when no field has the focus, and can be switched off.

import { useLayoutEffect, useRef } from "preact/hooks";
import { preference } from "./preferences.ts";

export const letterKeys = preference<"on" | "off">("letterKeys", "on");

/**
 * By name of the key as `event.key` has it, with `Ctrl+` (on a Mac the command key), `Alt+` and, for
 * keys that have no other letter with it, `Shift+`. `g s` is one after the other.
 */
type Handlers = Record<string, (event: KeyboardEvent) => void>;

const PREFIX_MS = 1500;
const layers: { current: Handlers }[] = [];
let prefixUntil = 0;

/** What was drawn last is asked first; keys of every page are asked last. */
export function useKeys(handlers: Handlers, { isEverywhere = false } = {}): void {
  const layer = useRefOf(handlers);
  // At once: a key may follow what is drawn before the browser has painted it.
  useLayoutEffect(() => {
    if (isEverywhere) layers.unshift(layer);
    else layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, [layer]);
}

function useRefOf(handlers: Handlers): { current: Handlers } {
  const ref = useRef<Handlers>(handlers);
  ref.current = handlers;
  return ref;
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event);
  const handler = layers.findLast((layer) => layer.current[name])?.current[name];
  if (!handler && name !== "g") return;
  if (document.querySelector("dialog[open]")) return;
  if (!event.ctrlKey && !event.metaKey && !event.altKey) {
    if (isTyping(event.target)) return;
    if (event.key.length === 1 && event.key !== " " && letterKeys.peek() === "off") return;
    if (takesItself(event)) return;
  }
  if (name === "g") prefixUntil = Date.now() + PREFIX_MS;
  if (!handler) return;
  event.preventDefault();
  handler(event);
});

function nameOf(event: KeyboardEvent): string {
  const isNext = Date.now() < prefixUntil;
  prefixUntil = 0;
  return [
    isNext ? "g " : "",
    event.ctrlKey || event.metaKey ? "Ctrl+" : "",
    event.altKey ? "Alt+" : "",
    event.shiftKey && event.key.length > 1 ? "Shift+" : "",
    event.key,
  ].join("");
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("select, textarea, input:not([type=checkbox])"));
}

/** What has the focus uses Enter, space and arrows itself. */
function takesItself(event: KeyboardEvent): boolean {
  if (!(event.target instanceof HTMLElement)) return false;
  const wanted = { Enter: "button, a, summary", " ": "button, summary, input, [role=tab]" }[event.key];
  if (wanted && event.target.closest(wanted)) return true;
  return event.key.startsWith("Arrow") && event.target.closest("[role=slider], [role=menu], [role=tablist]") !== null;
}
