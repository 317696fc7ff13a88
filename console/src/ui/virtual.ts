// Which rows of a long list are to be drawn.

export interface Window {
  first: number;
  /** One past the last. */
  end: number;
}

/** Rows of `height` in a view of `viewHeight` scrolled by `top`, `spare` more on both sides. */
export function windowOf(
  count: number, height: number, top: number, viewHeight: number, spare: number, most = 60,
): Window {
  if (count <= 0 || height <= 0) return { first: 0, end: 0 };
  const visible = Math.ceil(viewHeight / height) + 1;
  const start = Math.min(Math.max(0, Math.floor(top / height)), Math.max(0, count - 1));
  const extra = Math.max(0, Math.min(spare, Math.floor((most - visible) / 2)));
  const first = Math.max(0, start - extra);
  return { first, end: Math.min(count, start + Math.min(visible, most) + extra, first + most) };
}

/** Where to scroll so that row `index` is seen, by as little as possible. */
export function scrollFor(index: number, height: number, top: number, viewHeight: number): number {
  if (index * height < top) return index * height;
  if ((index + 1) * height > top + viewHeight) return (index + 1) * height - viewHeight;
  return top;
}
