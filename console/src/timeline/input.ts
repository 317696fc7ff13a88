/** What wheel, keys and fingers mean. No DOM: positions in CSS pixels from the left edge, times in milliseconds. */

export type Intent =
  | { do: "zoom"; x: number; factor: number }
  | { do: "zoom-playhead"; factor: number }
  | { do: "pan"; dx: number }
  | { do: "page"; by: -1 | 1 }
  | { do: "day" }
  /** The playhead follows the pointer; the player waits for `rest` or `release`. */
  | { do: "scrub"; x: number }
  /** Touch: the strip moves under the fixed playhead. */
  | { do: "slide"; dx: number }
  | { do: "release" }
  | { do: "seek"; x: number }
  | { do: "step"; ms: number }
  | { do: "edge"; to: "start" | "end" }
  | { do: "hover"; x: number }
  | { do: "leave" }
  | { do: "mark-from" }
  | { do: "mark-to" }
  /** A long press: marks the playhead. */
  | { do: "mark" }
  | { do: "mark-range"; from: number; to: number };

const WHEEL_FACTOR = 1.0015;
const WHEEL_LINE_PX = 16;
const WHEEL_PAGE_PX = 400;
const KEY_FACTOR = 2;
const DOUBLE_FACTOR = 0.5;
const SLOP_PX = 4;
const TOUCH_SLOP_PX = 10;
const HANDLE_PX = 8;
/** Distance from the sides at which scrubbing pans. */
const EDGE_PX = 24;
const EDGE_PX_PER_MS = 0.6;
const DOUBLE_MS = 350;
export const LONG_PRESS_MS = 500;
/** The player seeks after so long without movement. */
export const REST_MS = 120;

export interface WheelLike {
  deltaX: number;
  deltaY: number;
  deltaMode: number;
  ctrlKey: boolean;
  shiftKey: boolean;
}

/** Null: the page scrolls. A pinch on a touchpad comes as a wheel with Ctrl. */
export function wheelIntent(event: WheelLike, x: number, hasFocus: boolean): Intent | null {
  if (!event.ctrlKey && !hasFocus) return null;
  const unit = event.deltaMode === 1 ? WHEEL_LINE_PX : event.deltaMode === 2 ? WHEEL_PAGE_PX : 1;
  const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
  if (!event.ctrlKey && (event.shiftKey || Math.abs(dx) > Math.abs(dy))) return { do: "pan", dx: dx !== 0 ? dx : dy };
  if (dy === 0) return null;
  // One notch is 100 or 120; a runaway wheel must not cross all levels at once.
  return { do: "zoom", x, factor: WHEEL_FACTOR ** Math.max(-600, Math.min(600, dy)) };
}

export interface KeyLike {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** Null: the key is not the timeline's. */
export function keyIntent(event: KeyLike): Intent | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const step = event.shiftKey ? 60_000 : 10_000;
  switch (event.key) {
    case "ArrowLeft":
    case "ArrowDown":
      return { do: "step", ms: -step };
    case "ArrowRight":
    case "ArrowUp":
      return { do: "step", ms: step };
    case "PageUp":
      return { do: "page", by: 1 };
    case "PageDown":
      return { do: "page", by: -1 };
    case "Home":
      return { do: "edge", to: "start" };
    case "End":
      return { do: "edge", to: "end" };
    case "+":
    case "=":
      return { do: "zoom-playhead", factor: 1 / KEY_FACTOR };
    case "-":
      return { do: "zoom-playhead", factor: KEY_FACTOR };
    case "0":
      return { do: "day" };
    case "[":
      return { do: "mark-from" };
    case "]":
      return { do: "mark-to" };
    default:
      return null;
  }
}

export interface PointerLike {
  pointerId: number;
  pointerType: string;
  x: number;
  y: number;
  time: number;
}

export interface Surroundings {
  width: number;
  rulerHeight: number;
  /** Where the playhead is, if it is on screen. */
  playheadX: number | null;
}

type Mode =
  | { is: "idle" }
  /** Down, not moved. */
  | { is: "pressed"; x: number; y: number; time: number }
  | { is: "pan"; x: number }
  | { is: "scrub"; x: number }
  | { is: "range"; from: number }
  | { is: "slide"; x: number }
  | { is: "pinch" }
  | { is: "long" };

/** Turns pointer events into intents; one for each timeline. */
export class Gestures {
  #mode: Mode = { is: "idle" };
  #touches = new Map<number, { x: number; y: number }>();
  #spread = 0;
  #lastClick: { x: number; time: number } | null = null;
  #wasRuler = false;

  /** Whether a pointer is doing something now. */
  get isActive(): boolean {
    return this.#mode.is !== "idle";
  }

  /** Whether the view should keep moving at its edge. */
  get isScrubbing(): boolean {
    return this.#mode.is === "scrub";
  }

  down(event: PointerLike, around: Surroundings): Intent[] {
    const { x, y, time } = event;
    if (event.pointerType === "touch") {
      this.#touches.set(event.pointerId, { x, y });
      if (this.#touches.size === 2) {
        const wasSliding = this.#mode.is === "slide";
        this.#mode = { is: "pinch" };
        this.#spread = this.#distance();
        return wasSliding ? [{ do: "release" }] : [];
      }
      if (this.#touches.size === 1) this.#mode = { is: "pressed", x, y, time };
      return [];
    }
    this.#wasRuler = y < around.rulerHeight;
    const isHandle = around.playheadX !== null && Math.abs(x - around.playheadX) <= HANDLE_PX;
    this.#mode = isHandle && !this.#wasRuler ? { is: "scrub", x } : { is: "pressed", x, y, time };
    return [];
  }

  move(event: PointerLike, around: Surroundings): Intent[] {
    const { x, y } = event;
    const isTouch = event.pointerType === "touch";
    if (isTouch) {
      if (!this.#touches.has(event.pointerId)) return [];
      this.#touches.set(event.pointerId, { x, y });
    }
    const mode = this.#mode;
    switch (mode.is) {
      case "idle":
        return isTouch ? [] : [{ do: "hover", x }];
      case "pinch": {
        if (this.#touches.size < 2) return [];
        const spread = this.#distance();
        const factor = this.#spread / Math.max(1, spread);
        this.#spread = Math.max(1, spread);
        // Around the fixed playhead, so that pinching never seeks.
        return factor === 1 ? [] : [{ do: "zoom", x: around.width / 2, factor }];
      }
      case "pressed": {
        const slop = isTouch ? TOUCH_SLOP_PX : SLOP_PX;
        if (Math.hypot(x - mode.x, y - mode.y) < slop) return isTouch ? [] : [{ do: "hover", x }];
        if (isTouch) {
          this.#mode = { is: "slide", x };
          return [{ do: "slide", dx: mode.x - x }];
        }
        if (this.#wasRuler) {
          this.#mode = { is: "range", from: mode.x };
          return [range(mode.x, x)];
        }
        this.#mode = { is: "pan", x };
        return [{ do: "pan", dx: mode.x - x }];
      }
      case "slide":
        this.#mode = { is: "slide", x };
        return [{ do: "slide", dx: mode.x - x }];
      case "pan":
        this.#mode = { is: "pan", x };
        return [{ do: "pan", dx: mode.x - x }];
      case "scrub":
        this.#mode = { is: "scrub", x };
        return [{ do: "scrub", x }];
      case "range":
        return [range(mode.from, x)];
      case "long":
        return [];
    }
  }

  up(event: PointerLike): Intent[] {
    const mode = this.#mode;
    if (event.pointerType === "touch") {
      this.#touches.delete(event.pointerId);
      // The finger that stays after a pinch does nothing until it is lifted too.
      if (mode.is === "pinch" && this.#touches.size > 0) return [];
      if (this.#touches.size === 0) this.#mode = { is: "idle" };
      // A tap seeks nothing.
      return mode.is === "slide" ? [{ do: "release" }] : [];
    }
    this.#mode = { is: "idle" };
    if (mode.is === "scrub") return [{ do: "release" }];
    if (mode.is !== "pressed") return [];
    const { x, time } = event;
    const last = this.#lastClick;
    if (last && time - last.time <= DOUBLE_MS && Math.abs(x - last.x) <= SLOP_PX) {
      this.#lastClick = null;
      return [{ do: "zoom", x, factor: DOUBLE_FACTOR }];
    }
    this.#lastClick = { x, time };
    return [{ do: "seek", x }];
  }

  cancel(event: PointerLike): Intent[] {
    this.#touches.delete(event.pointerId);
    const mode = this.#mode;
    if (this.#touches.size === 0) this.#mode = { is: "idle" };
    return mode.is === "slide" || mode.is === "scrub" ? [{ do: "release" }] : [];
  }

  leave(): Intent[] {
    return this.#mode.is === "idle" ? [{ do: "leave" }] : [];
  }

  /** Time has passed: a long press, or a scrub that rests at the edge and pans the view. */
  tick(now: number, sinceMs: number, around: Surroundings): Intent[] {
    const mode = this.#mode;
    if (mode.is === "pressed" && this.#touches.size === 1 && now - mode.time >= LONG_PRESS_MS) {
      this.#mode = { is: "long" };
      return [{ do: "mark" }];
    }
    if (mode.is === "scrub") {
      const dx = edgePan(mode.x, around.width, sinceMs);
      return dx === 0 ? [] : [{ do: "pan", dx }, { do: "scrub", x: mode.x }];
    }
    return [];
  }

  #distance(): number {
    const [a, b] = [...this.#touches.values()];
    return a && b ? Math.max(1, Math.abs(a.x - b.x)) : 1;
  }
}

/** How far the view pans while a drag rests near its side: the nearer, the faster. */
export function edgePan(x: number, width: number, sinceMs: number): number {
  const edge = Math.min(EDGE_PX, width / 4);
  const left = Math.min(1, Math.max(0, (edge - x) / edge));
  const right = Math.min(1, Math.max(0, (x - (width - edge)) / edge));
  return (right - left) * EDGE_PX_PER_MS * sinceMs;
}

function range(a: number, b: number): Intent {
  return { do: "mark-range", from: Math.min(a, b), to: Math.max(a, b) };
}
