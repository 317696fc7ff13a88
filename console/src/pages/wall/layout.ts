// How tiles are laid out, and which are on the page: all of it in the URL.

import type { Query } from "../../app/routes.ts";

export const TILES_MAX = 16;
const SIDE_MAX = 4;

/** `auto`, or so many by so many. */
export type Layout = "auto" | number;

export interface Choice {
  layout: Layout;
  /** Streams by name, in order; null: all there are. */
  streams: string[] | null;
  /** From 1. */
  page: number;
  /** The enlarged one. */
  tile: string | null;
}

/** Of `/console/wall/{layout}?s=a,b&page=2&tile=a`. */
export function choiceOf(layout: string, query: Query): Choice {
  const side = Number(/^(\d)x\1$/.exec(layout)?.[1]);
  const names = (query["s"] ?? "").split(",").map((name) => name.trim()).filter(Boolean);
  const page = Number(query["page"]);
  return {
    layout: side >= 1 && side <= SIDE_MAX ? side : "auto",
    streams: names.length > 0 ? [...new Set(names)] : null,
    page: Number.isInteger(page) && page > 0 ? page : 1,
    tile: query["tile"] || null,
  };
}

export function layoutText(layout: Layout): string {
  return layout === "auto" ? "" : `${layout}x${layout}`;
}

export function tilesOf(layout: Layout): number {
  return layout === "auto" ? TILES_MAX : layout * layout;
}

export interface Page {
  names: string[];
  page: number;
  count: number;
}

/** A page past the last is the last. */
export function pageOf(names: readonly string[], layout: Layout, wanted: number): Page {
  const each = tilesOf(layout);
  const count = Math.max(1, Math.ceil(names.length / each));
  const page = Math.min(wanted, count);
  return { names: names.slice((page - 1) * each, page * each), page, count };
}

export interface Grid {
  columns: number;
  rows: number;
}

/** Best fill for pictures of these shapes (width by height), portrait ones too. */
export function gridOf(layout: Layout, shapes: readonly number[], width: number, height: number): Grid {
  if (layout !== "auto") return { columns: layout, rows: layout };
  let best: Grid & { area: number } = { columns: 1, rows: Math.max(1, shapes.length), area: -1 };
  for (let columns = 1; columns <= shapes.length; columns++) {
    const rows = Math.ceil(shapes.length / columns);
    const [w, h] = [width / columns, height / rows];
    const area = shapes.reduce((sum, shape) => sum + Math.min(w, h * shape) * Math.min(h, w / shape), 0);
    if (area > best.area * 1.0001) best = { columns, rows, area };
  }
  return { columns: best.columns, rows: best.rows };
}

const STEPS: Record<string, (columns: number) => number> = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns,
};

/** Where an arrow leads to; the same at an edge. */
export function moved(at: number, key: string, count: number, columns: number): number {
  const to = at + (STEPS[key]?.(columns) ?? 0);
  return to >= 0 && to < count ? to : at;
}
