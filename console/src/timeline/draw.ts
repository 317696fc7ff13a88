/** Draws the timeline on one canvas, in device pixels. */

import { clock } from "../time/format.ts";
import { FULL, GAP, LOADING, PART, columns, stretches } from "./columns.ts";
import type { Piece } from "./coverage.ts";
import { ticks } from "./ticks.ts";
import { type View, spanOf, xOf } from "./view.ts";

export interface Colours {
  background: string;
  text: string;
  muted: string;
  line: string;
  coverage: string;
  accent: string;
  live: string;
  bad: string;
}

/** The custom properties that the colours come from: the tokens of the console. */
export const COLOUR_PROPERTIES: Record<keyof Colours, string> = {
  background: "--surface",
  text: "--text",
  muted: "--muted",
  line: "--line",
  coverage: "--coverage",
  accent: "--accent",
  live: "--live",
  bad: "--bad",
};

/** Reads the colours of an element, for instance with `getComputedStyle(canvas).getPropertyValue`. */
export function coloursOf(property: (name: string) => string): Colours {
  const out = {} as Colours;
  for (const [name, custom] of Object.entries(COLOUR_PROPERTIES)) out[name as keyof Colours] = property(custom).trim();
  return out;
}

export interface SceneLane {
  name: string;
  pieces: readonly Piece[];
  loading: readonly { from: number; to: number }[];
  /** Written in the lane instead of coverage. */
  error: string | null;
}

export interface Scene {
  /** Device pixels. */
  width: number;
  height: number;
  ratio: number;
  view: View;
  zone: string;
  locale: string;
  now: number;
  playhead: number | null;
  hover: number | null;
  marks: { from: number | null; to: number | null };
  lanes: readonly SceneLane[];
  colours: Colours;
  font: string;
}

export type Context = Pick<
  CanvasRenderingContext2D,
  | "fillStyle" | "strokeStyle" | "globalAlpha" | "font" | "textAlign" | "textBaseline" | "lineWidth"
  | "fillRect" | "clearRect" | "fillText" | "measureText" | "beginPath" | "moveTo" | "lineTo" | "stroke"
  | "save" | "restore" | "rect" | "clip" | "fill" | "closePath"
>;

/** CSS pixels. */
export const RULER_HEIGHT = 22;
const LANE_GAP = 3;
const LANE_HEIGHT_MAX = 28;
const TICK_WIDTH_MIN = 84;
const HATCH_STEP = 6;
const PART_ALPHA = 0.6;

/** Top and height of a lane, in CSS pixels. */
export function laneBox(index: number, count: number, height: number): { top: number; height: number } {
  const each = Math.min(LANE_HEIGHT_MAX, Math.max(2, (height - RULER_HEIGHT) / Math.max(1, count) - LANE_GAP));
  return { top: RULER_HEIGHT + index * (each + LANE_GAP), height: each };
}

export function draw(context: Context, scene: Scene): void {
  const { width, height, ratio, colours, view } = scene;
  context.globalAlpha = 1;
  context.fillStyle = colours.background;
  context.clearRect(0, 0, width, height);
  context.fillRect(0, 0, width, height);

  scene.lanes.forEach((lane, index) => {
    const box = laneBox(index, scene.lanes.length, height / ratio);
    drawLane(context, scene, lane, Math.round(box.top * ratio), Math.max(1, Math.round(box.height * ratio)));
  });
  drawRuler(context, scene);
  drawMarks(context, scene);
  if (scene.now >= view.from && scene.now <= view.to) {
    vertical(context, scene, scene.now, colours.live, 1);
  }
  if (scene.hover !== null) vertical(context, scene, scene.hover, colours.muted, 1);
  if (scene.playhead !== null) drawPlayhead(context, scene, scene.playhead);
}

function drawLane(context: Context, scene: Scene, lane: SceneLane, top: number, height: number): void {
  const { colours, ratio, width } = scene;
  if (lane.error !== null) {
    text(context, scene, colours.bad, lane.error, 4 * ratio, top + height / 2, "left");
  } else {
    const states = columns(lane.pieces, lane.loading, scene.view, width);
    stretches(states, (start, end, state) => {
      if (state === FULL || state === PART) {
        context.globalAlpha = state === FULL ? 1 : PART_ALPHA;
        context.fillStyle = colours.coverage;
        context.fillRect(start, top, end - start, height);
        context.globalAlpha = 1;
      } else if (state === GAP) {
        // A thin base tells "nothing recorded" from "nothing known".
        context.fillStyle = colours.line;
        context.fillRect(start, top + height - Math.max(1, Math.round(ratio)), end - start, Math.max(1, Math.round(ratio)));
      } else if (state === LOADING) {
        hatch(context, scene, start, end, top, height);
      }
    });
  }
  if (scene.lanes.length > 1 && lane.error === null && height >= 10 * ratio) {
    text(context, scene, colours.text, lane.name, 4 * ratio, top + height / 2, "left");
  }
}

function hatch(context: Context, scene: Scene, start: number, end: number, top: number, height: number): void {
  const step = HATCH_STEP * scene.ratio;
  context.save();
  context.beginPath();
  context.rect(start, top, end - start, height);
  context.clip();
  context.strokeStyle = scene.colours.line;
  context.lineWidth = Math.max(1, scene.ratio);
  context.beginPath();
  // From one origin, so that neighbouring stretches continue each other.
  for (let x = Math.floor((start - height) / step) * step; x < end; x += step) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

function drawRuler(context: Context, scene: Scene): void {
  const { colours, ratio, view, width } = scene;
  const hidden = playheadLabel(context, scene);
  const count = Math.max(1, Math.floor(width / (TICK_WIDTH_MIN * ratio)));
  const bottom = RULER_HEIGHT * ratio;
  for (const tick of ticks(view, scene.zone, scene.locale, count)) {
    const x = Math.round(xOf(view, tick.at, width));
    const length = (tick.isMajor ? 8 : 4) * ratio;
    context.fillStyle = colours.line;
    context.fillRect(x, bottom - length, Math.max(1, Math.round(ratio)), length);
    const from = x + 3 * ratio;
    context.font = fontOf(scene);
    const to = from + context.measureText(tick.label).width;
    // Half a label reads as another time.
    if (to > width || (hidden && to > hidden.from && from < hidden.to)) continue;
    text(context, scene, tick.isMajor ? colours.text : colours.muted, tick.label, from, 8 * ratio, "left");
  }
}

function drawMarks(context: Context, scene: Scene): void {
  const { from, to } = scene.marks;
  const { view, width, colours, height } = scene;
  if (from !== null && to !== null) {
    const start = Math.max(0, Math.round(xOf(view, from, width)));
    const end = Math.min(width, Math.round(xOf(view, to, width)));
    if (end > 0 && start < width) {
      context.globalAlpha = 0.2;
      context.fillStyle = colours.accent;
      context.fillRect(start, 0, Math.max(1, end - start), height);
      context.globalAlpha = 1;
    }
  }
  for (const at of [from, to]) if (at !== null) vertical(context, scene, at, colours.accent, 2);
}

function drawPlayhead(context: Context, scene: Scene, at: number): void {
  const { ratio, colours } = scene;
  const label = playheadLabel(context, scene);
  if (!label) return;
  vertical(context, scene, at, colours.text, 2);
  context.fillStyle = colours.text;
  context.fillRect(label.from, 0, label.to - label.from, 16 * ratio);
  text(context, scene, colours.background, label.words, (label.from + label.to) / 2, 8 * ratio, "center");
}

/** Where the ruler says what time the playhead is at; null while it is out of view. */
function playheadLabel(context: Context, scene: Scene): { words: string; from: number; to: number } | null {
  const { view, width, ratio, playhead } = scene;
  if (playhead === null) return null;
  const x = xOf(view, playhead, width);
  if (x < 0 || x > width) return null;
  const words = clock(playhead, scene.zone, spanOf(view) <= 60_000 ? "ms" : "s");
  context.font = fontOf(scene);
  const half = context.measureText(words).width / 2 + 4 * ratio;
  const middle = Math.min(width - half, Math.max(half, x));
  return { words, from: middle - half, to: middle + half };
}

function vertical(context: Context, scene: Scene, at: number, colour: string, cssWidth: number): void {
  const x = xOf(scene.view, at, scene.width);
  if (x < 0 || x > scene.width) return;
  const thick = Math.max(1, Math.round(cssWidth * scene.ratio));
  context.fillStyle = colour;
  context.fillRect(Math.round(x - thick / 2), 0, thick, scene.height);
}

function text(
  context: Context, scene: Scene, colour: string, value: string, x: number, y: number, align: CanvasTextAlign,
): void {
  context.font = fontOf(scene);
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillText(value, x, y);
}

function fontOf(scene: Scene): string {
  return `${11 * scene.ratio}px ${scene.font}`;
}
