// A part of the picture, larger.

export const SCALE_MAX = 8;
/** Nearer to the whole than this is the whole. */
const SCALE_WHOLE = 1.05;

export interface Point {
  /** From the middle of the box, in widths of it: −0.5 is its left edge. */
  x: number;
  /** The same in heights: −0.5 is its top. */
  y: number;
}

/** The picture is `scale` times as large, and its middle lies at a point of the box. */
export interface Zoom extends Point {
  scale: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };

/** Larger or smaller around a point of the box, whose picture stays where it is unless an edge would come in. */
export function zoomed(zoom: Zoom, factor: number, at: Point): Zoom {
  const scale = Math.min(SCALE_MAX, zoom.scale * factor);
  if (scale < SCALE_WHOLE) return WHOLE;
  const by = scale / zoom.scale;
  return within({ scale, x: at.x - (at.x - zoom.x) * by, y: at.y - (at.y - zoom.y) * by });
}

export function moved(zoom: Zoom, by: Point): Zoom {
  return within({ ...zoom, x: zoom.x + by.x, y: zoom.y + by.y });
}

/** The box is always full of picture. */
function within({ scale, x, y }: Zoom): Zoom {
  const room = (scale - 1) / 2;
  const held = (value: number) => Math.min(room, Math.max(-room, value));
  return { scale, x: held(x), y: held(y) };
}

/** As a CSS transform of a box that fills the other. */
export function transformOf({ scale, x, y }: Zoom): string {
  return `translate(${(x * 100).toFixed(3)}%, ${(y * 100).toFixed(3)}%) scale(${scale.toFixed(4)})`;
}
