// Wheel, drag and pinch on the picture: `player/zoom.ts` has the numbers.

import { useRef, useState } from "preact/hooks";
import { type Point, WHOLE, type Zoom, moved, zoomed } from "../../player/zoom.ts";

/** Of the wheel's pixels: a notch of 100 is a fifth more. */
const WHEEL_PIXELS = 550;
const LINE_PIXELS = 16;
const KEY_FACTOR = 2;

export interface ZoomControl {
  zoom: Zoom;
  isZoomed: boolean;
  /** Twice as large where the pointer is, or whole again. */
  toggle: () => void;
  reset: () => void;
  handlers: {
    onWheel: (event: WheelEvent) => void;
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerCancel: (event: PointerEvent) => void;
    onPointerLeave: () => void;
  };
}

export function useZoom(): ZoomControl {
  const [zoom, setZoom] = useState(WHOLE);
  /** Fingers and the pressed mouse, where they were last. */
  const held = useRef(new Map<number, Point>());
  const hover = useRef<Point>(WHOLE);
  const isZoomed = zoom.scale > 1;

  const release = ({ pointerId }: PointerEvent) => void held.current.delete(pointerId);
  const drag = (event: PointerEvent) => {
    const at = pointOf(event);
    hover.current = at;
    const before = held.current.get(event.pointerId);
    if (!before) return;
    held.current.set(event.pointerId, at);
    const other = [...held.current].find(([id]) => id !== event.pointerId)?.[1];
    const by = { x: at.x - before.x, y: at.y - before.y };
    setZoom((zoom) => {
      if (!other) return zoom.scale > 1 ? moved(zoom, by) : zoom;
      const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
      const apart = distance(before, other) || 1;
      return zoomed(moved(zoom, { x: by.x / 2, y: by.y / 2 }), distance(at, other) / apart, middle);
    });
  };
  return {
    zoom, isZoomed,
    toggle: () => setZoom(isZoomed ? WHOLE : zoomed(WHOLE, KEY_FACTOR, hover.current)),
    reset: () => setZoom(WHOLE),
    handlers: {
      onWheel: (event) => {
        // Without Ctrl it scrolls the page, as long as the picture is whole. A pinch on a touchpad comes as Ctrl.
        if (!isZoomed && !event.ctrlKey && !document.fullscreenElement) return;
        event.preventDefault();
        const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1);
        const at = pointOf(event);
        setZoom((zoom) => zoomed(zoom, Math.exp(-pixels / WHEEL_PIXELS), at));
      },
      onPointerDown: (event) => {
        if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button, .over"))) return;
        held.current.set(event.pointerId, pointOf(event));
        boxOf(event).setPointerCapture(event.pointerId);
      },
      onPointerMove: drag,
      onPointerUp: release,
      onPointerCancel: release,
      onPointerLeave: () => { hover.current = WHOLE; },
    },
  };
}

const boxOf = ({ currentTarget }: Event) => currentTarget as HTMLElement;

function pointOf(event: MouseEvent): Point {
  const { left, top, width, height } = boxOf(event).getBoundingClientRect();
  return { x: (event.clientX - left) / width - 0.5, y: (event.clientY - top) / height - 0.5 };
}

const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);
