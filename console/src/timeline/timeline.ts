/** The timeline on a canvas: joins view, coverage, drawing and input. */

import { type Gap, type LaneCoverage } from "./coverage.ts";
import { type Colours, type Context, type Scene, RULER_HEIGHT, draw, laneBox } from "./draw.ts";
import { Gestures, type Intent, type PointerLike, type Surroundings, LONG_PRESS_MS, REST_MS, keyIntent, wheelIntent } from "./input.ts";
import { CoverageModel, type Landing, type MomentState, type Tile, land } from "./model.ts";
import { Newest } from "./newest.ts";
import { type View, centred, clamp, pan, spanOf, timeAt, xOf, zoom } from "./view.ts";
import { startOfDay } from "../time/zone.ts";

/** What speaks of a moment, for the slider's text. */
export interface Spoken {
  at: number;
  state: MomentState;
  gap: Gap | null;
}

export interface Hover<P> {
  at: number;
  /** CSS pixels from the left edge. */
  x: number;
  state: MomentState;
  gap: Gap | null;
  /** The newest that has come; null where nothing is recorded, and before the first. */
  picture: P | null;
  /** The instant that the picture was asked for: while the pointer moves, not yet `at`. */
  pictureAt: number | null;
}

export interface Marks {
  from: number | null;
  to: number | null;
}

export interface TimelineOptions<P> {
  lanes: string[];
  view: View;
  zone: string;
  /** For the names of months: `en`, `zh-CN`. */
  locale: string;
  /** Accessible name. */
  label: string;
  colours: Colours;
  font: string;
  /** The server's clock, in milliseconds. */
  now: () => number;
  valueText: (spoken: Spoken) => string;
  loadCoverage: (from: number, to: number, maxPoints: number, signal: AbortSignal) => Promise<LaneCoverage[]>;
  loadThumbnail?: (at: number, signal: AbortSignal) => Promise<P>;
  /** `landing.at` is null where nothing is recorded from there to now: say so and stay. */
  onSeek: (landing: Landing) => void;
  onHover?: (hover: Hover<P> | null) => void;
  onRange?: (view: View) => void;
  onMarks?: (marks: Marks) => void;
  /** A coverage request failed; it is tried again after a while. */
  onError?: (error: unknown) => void;
}

/** What of the browser is used, for tests. */
export interface Surface {
  requestFrame: (callback: () => void) => number;
  cancelFrame: (id: number) => void;
  setTimer: (callback: () => void, ms: number) => unknown;
  clearTimer: (id: unknown) => void;
  observeSize?: (element: Element, callback: () => void) => () => void;
  ratio: () => number;
}

const BROWSER: Surface = {
  requestFrame: (callback) => requestAnimationFrame(callback),
  cancelFrame: (id) => cancelAnimationFrame(id),
  setTimer: (callback, ms) => setTimeout(callback, ms),
  clearTimer: (id) => clearTimeout(id as number),
  observeSize: (element, callback) => {
    const observer = new ResizeObserver(callback);
    observer.observe(element);
    return () => observer.disconnect();
  },
  ratio: () => globalThis.devicePixelRatio,
};

const IN_AIR_MAX = 2;
const RETRY_MS = 4000;
/** The view is looked at for new coverage so often: nothing is asked for that is fresh. */
const REFRESH_MS = 2000;
const EDGE_TICK_MS = 16;
const DAY_MS = 86_400_000;

export class Timeline<P = unknown> {
  #options: TimelineOptions<P>;
  #view: View;
  #model: CoverageModel;
  #playhead: number | null = null;
  #hoverX: number | null = null;
  #picture: { at: number; shown: P } | null = null;
  #marks: Marks = { from: null, to: null };
  #isTouch = false;
  #gestures = new Gestures();
  #frame: number | null = null;
  #size = { width: 0, height: 0, left: 0, top: 0 };
  #loading = new Map<string, AbortController>();
  #retryAt = 0;
  #thumbnails: Newest<number, P> | null;
  #landing: AbortController | null = null;
  #restTimer: unknown = null;
  #holdTimer: unknown = null;
  #refreshTimer: unknown = null;
  #lastText = "";
  #end = new AbortController();
  #unobserve: (() => void) | null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    options: TimelineOptions<P>,
    private readonly surface: Surface = BROWSER,
  ) {
    this.#options = options;
    this.#view = clamp(options.view, options.now());
    this.#model = new CoverageModel(options.lanes.length);
    const { loadThumbnail } = options;
    this.#thumbnails = loadThumbnail
      ? new Newest(loadThumbnail, (at, shown) => {
          this.#picture = { at, shown };
          this.#tellHover();
        })
      : null;
    this.#describeElement();
    this.#listen();
    this.#unobserve = surface.observeSize?.(canvas, () => this.resize()) ?? null;
    this.resize();
    this.#refresh();
  }

  get view(): View {
    return { ...this.#view };
  }

  get marks(): Marks {
    return { ...this.#marks };
  }

  get playhead(): number | null {
    return this.#playhead;
  }

  /** Where the player is. Ignored while a pointer holds the playhead, and until the player knows where to go. */
  setPlayhead(at: number | null): void {
    if (this.#landing || this.#gestures.isScrubbing || this.#restTimer !== null || (this.#isTouch && this.#gestures.isActive)) return;
    this.#playhead = at;
    if (this.#isTouch && at !== null) this.#show(centred(at, spanOf(this.#view)), false);
    this.#changed();
  }

  /** Shows this part of time. */
  setView(view: View): void {
    this.#show(view, false);
  }

  setZone(zone: string, locale = this.#options.locale): void {
    this.#options = { ...this.#options, zone, locale };
    this.#changed();
  }

  setColours(colours: Colours): void {
    this.#options = { ...this.#options, colours };
    this.#changed();
  }

  setMarks(marks: Marks): void {
    this.#mark(marks.from, marks.to);
  }

  /** Other streams: what was known of the old ones is forgotten. */
  setLanes(lanes: string[]): void {
    this.#options = { ...this.#options, lanes };
    this.#model = new CoverageModel(lanes.length);
    this.#dropLoads();
    this.#changed();
    this.#load();
  }

  /** Asks for everything again, as after a deletion. */
  reload(): void {
    this.#model.clear();
    this.#dropLoads();
    this.#changed();
    this.#load();
  }

  /** Seeks as a click there does: from a time box, or *Go back to*. */
  seek(at: number): void {
    if (this.#isTouch) this.#show(centred(at, spanOf(this.#view)), true);
    else this.#reveal(at);
    void this.#land(at);
  }

  /** Which lane is at this height, in CSS pixels; null above and between. */
  laneAt(y: number): number | null {
    const count = this.#options.lanes.length;
    for (let lane = 0; lane < count; lane++) {
      const { top, height } = laneBox(lane, count, this.#size.height);
      if (y >= top && y < top + height) return lane;
    }
    return null;
  }

  resize(): void {
    const { width, height, left, top } = this.canvas.getBoundingClientRect();
    this.#size = { width, height, left, top };
    const ratio = this.surface.ratio();
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.#changed();
    this.#load();
  }

  destroy(): void {
    this.#end.abort();
    this.#dropLoads();
    this.#landing?.abort();
    this.#thumbnails?.end();
    this.#unobserve?.();
    for (const timer of [this.#restTimer, this.#holdTimer, this.#refreshTimer]) this.surface.clearTimer(timer);
    if (this.#frame !== null) this.surface.cancelFrame(this.#frame);
    this.#frame = null;
  }

  #describeElement(): void {
    const { canvas } = this;
    canvas.setAttribute("role", "slider");
    canvas.setAttribute("aria-orientation", "horizontal");
    canvas.setAttribute("aria-label", this.#options.label);
    canvas.tabIndex = 0;
    // One finger up or down still scrolls the page.
    canvas.style.touchAction = "pan-y";
  }

  #listen(): void {
    const { canvas } = this;
    const { signal } = this.#end;
    const pointer = (handle: (event: PointerLike, around: Surroundings) => Intent[], takes = false) =>
      (event: PointerEvent) => {
        if (takes && event.button !== 0) return;
        if (takes) {
          this.#isTouch = event.pointerType === "touch";
          canvas.setPointerCapture?.(event.pointerId);
        }
        const { left, top } = canvas.getBoundingClientRect();
        const { pointerId, pointerType } = event;
        const at = { pointerId, pointerType, x: event.clientX - left, y: event.clientY - top, time: event.timeStamp };
        this.#apply(handle(at, this.#around()));
        this.#hold(event.timeStamp);
      };
    const gestures = this.#gestures;
    canvas.addEventListener("pointerdown", pointer((event, around) => gestures.down(event, around), true), { signal });
    canvas.addEventListener("pointermove", pointer((event, around) => gestures.move(event, around)), { signal });
    canvas.addEventListener("pointerup", pointer((event) => gestures.up(event)), { signal });
    canvas.addEventListener("pointercancel", pointer((event) => gestures.cancel(event)), { signal });
    canvas.addEventListener("pointerleave", () => this.#apply(gestures.leave()), { signal });
    canvas.addEventListener(
      "wheel",
      (event) => {
        const x = event.clientX - canvas.getBoundingClientRect().left;
        const intent = wheelIntent(event, x, canvas.ownerDocument.activeElement === canvas);
        if (!intent) return;
        event.preventDefault();
        this.#apply([intent]);
      },
      { signal, passive: false },
    );
    canvas.addEventListener(
      "keydown",
      (event) => {
        const intent = keyIntent(event);
        if (!intent) return;
        event.preventDefault();
        // The page's own arrows do the same: once is enough.
        event.stopPropagation();
        this.#apply([intent]);
      },
      { signal },
    );
  }

  /** While a pointer is down, time counts too: long press, and panning at the edge. */
  #hold(time: number): void {
    this.surface.clearTimer(this.#holdTimer);
    this.#holdTimer = null;
    if (!this.#gestures.isActive) return;
    const wait = this.#gestures.isScrubbing ? EDGE_TICK_MS : LONG_PRESS_MS;
    this.#holdTimer = this.surface.setTimer(() => {
      const since = this.#gestures.isScrubbing ? EDGE_TICK_MS : wait;
      this.#apply(this.#gestures.tick(time + wait, since, this.#around()));
      this.#hold(time + wait);
    }, wait);
  }

  #around(): Surroundings {
    const { width } = this.#size;
    const playheadX = this.#playhead === null ? null : xOf(this.#view, this.#playhead, width);
    return { width, rulerHeight: RULER_HEIGHT, playheadX };
  }

  #apply(intents: Intent[]): void {
    for (const intent of intents) this.#do(intent);
  }

  #do(intent: Intent): void {
    const { now } = this.#options;
    const view = this.#view;
    const { width } = this.#size;
    const perPixel = spanOf(view) / Math.max(1, width);
    switch (intent.do) {
      case "zoom":
        return this.#show(zoom(view, this.#timeAt(intent.x), intent.factor), true);
      case "zoom-playhead": {
        const isShown = this.#playhead !== null && this.#playhead >= view.from && this.#playhead <= view.to;
        const at = isShown && this.#playhead !== null ? this.#playhead : (view.from + view.to) / 2;
        return this.#show(zoom(view, at, intent.factor), true);
      }
      case "pan":
        return this.#show(pan(view, intent.dx * perPixel), true);
      case "page":
        return this.#show(pan(view, intent.by * spanOf(view)), true);
      case "day": {
        const start = startOfDay(this.#playhead ?? (view.from + view.to) / 2, this.#options.zone);
        // 23 or 25 hours when the clocks change.
        const end = startOfDay(start, this.#options.zone, 1);
        return this.#show({ from: start, to: end > start ? end : start + DAY_MS }, true);
      }
      case "scrub":
        this.#playhead = Math.min(this.#timeAt(intent.x), now());
        this.#hoverX = intent.x;
        this.#wantPicture(this.#playhead);
        this.#rest();
        return this.#changed();
      case "slide": {
        const at = Math.min((this.#playhead ?? (view.from + view.to) / 2) + intent.dx * perPixel, now());
        this.#playhead = at;
        this.#hoverX = width / 2;
        this.#show(centred(at, spanOf(view)), true);
        this.#wantPicture(at);
        return this.#rest();
      }
      case "release":
        this.#stopRest();
        if (this.#playhead !== null) void this.#land(this.#playhead);
        if (this.#isTouch) this.#leave();
        return;
      case "seek":
        return void this.#land(this.#timeAt(intent.x));
      case "step": {
        const at = Math.min((this.#playhead ?? (view.from + view.to) / 2) + intent.ms, now());
        this.#playhead = at;
        this.#reveal(at);
        // A held key moves many times and seeks once.
        this.#rest();
        return this.#changed();
      }
      case "edge":
        return this.seek(intent.to === "start" ? view.from : Math.min(view.to, now()));
      case "hover":
        this.#hoverX = intent.x;
        this.#wantPicture(this.#timeAt(intent.x));
        return this.#changed();
      case "leave":
        return this.#leave();
      case "mark-from":
        return this.#markPlayhead("from");
      case "mark-to":
        return this.#markPlayhead("to");
      case "mark":
        return this.#markPlayhead(this.#marks.from === null || this.#marks.to !== null ? "restart" : "to");
      case "mark-range":
        return this.#mark(this.#timeAt(intent.from), this.#timeAt(intent.to));
    }
  }

  #timeAt(x: number): number {
    return timeAt(this.#view, x, Math.max(1, this.#size.width));
  }

  #show(view: View, isTold: boolean): void {
    let shown = clamp(view, this.#options.now());
    if (this.#isTouch && this.#playhead !== null && isTold) shown = centred(this.#playhead, spanOf(shown));
    if (shown.from === this.#view.from && shown.to === this.#view.to) return;
    this.#view = shown;
    this.#changed();
    this.#load();
    if (isTold) this.#options.onRange?.(this.view);
  }

  /** Moves the view only when the instant is outside. */
  #reveal(at: number): void {
    if (at < this.#view.from || at > this.#view.to) this.#show(centred(at, spanOf(this.#view)), true);
  }

  #markPlayhead(which: "from" | "to" | "restart"): void {
    const at = this.#playhead;
    if (at === null) return;
    const { from, to } = this.#marks;
    if (which === "restart") return this.#mark(at, null);
    // A start after the end begins a new range.
    if (which === "from") return this.#mark(at, to !== null && to > at ? to : null);
    return this.#mark(from !== null && from < at ? from : null, at);
  }

  #mark(from: number | null, to: number | null): void {
    this.#marks = { from, to };
    this.#options.onMarks?.(this.marks);
    this.#changed();
  }

  #rest(): void {
    this.surface.clearTimer(this.#restTimer);
    this.#restTimer = this.surface.setTimer(() => {
      this.#restTimer = null;
      if (this.#playhead === null) return;
      // The strip must not jump over a gap under the finger that holds it.
      if (this.#gestures.isActive && this.#momentOfAll(this.#playhead).state === "gap") return;
      void this.#land(this.#playhead);
    }, REST_MS);
  }

  #stopRest(): void {
    this.surface.clearTimer(this.#restTimer);
    this.#restTimer = null;
  }

  async #land(asked: number): Promise<void> {
    this.#stopRest();
    this.#landing?.abort();
    const controller = new AbortController();
    this.#landing = controller;
    const { now, loadCoverage, onSeek, onError } = this.#options;
    const at = Math.min(asked, now());
    let landing: Landing;
    if (this.#options.lanes.some((_, lane) => this.#moment(lane, at).state === "full")) {
      landing = { asked: at, at, gap: null };
    } else {
      try {
        landing = await land(at, now(), loadCoverage, controller.signal);
      } catch (error) {
        if (controller.signal.aborted) return;
        onError?.(error);
        // Not known: the player finds out, and says it.
        landing = { asked: at, at, gap: null };
      }
      if (controller.signal.aborted) return;
    }
    this.#landing = null;
    if (landing.at !== null) {
      this.#playhead = landing.at;
      if (this.#isTouch) this.#show(centred(landing.at, spanOf(this.#view)), true);
      else this.#reveal(landing.at);
    }
    this.#changed();
    onSeek(landing);
  }

  #moment(lane: number, at: number): { state: MomentState; gap: Gap | null } {
    return this.#model.moment(lane, at, this.#view, this.#options.now());
  }

  /** One lane has it: full; else what the first lane says. */
  #momentOfAll(at: number): { state: MomentState; gap: Gap | null } {
    const moments = this.#options.lanes.map((_, lane) => this.#moment(lane, at));
    const best = moments.find(({ state }) => state === "full") ?? moments.find(({ state }) => state === "part");
    return best ?? moments[0] ?? { state: "none", gap: null };
  }

  #wantPicture(at: number): void {
    this.#tellHover();
    const { state } = this.#momentOfAll(at);
    // A picture of before the gap would be a lie.
    if (state === "gap" || state === "none") {
      this.#picture = null;
      this.#thumbnails?.drop();
    } else {
      this.#thumbnails?.want(Math.round(at));
    }
  }

  #leave(): void {
    this.#hoverX = null;
    this.#picture = null;
    this.#thumbnails?.drop();
    this.#options.onHover?.(null);
    this.#changed();
  }

  #tellHover(): void {
    if (this.#hoverX === null) return;
    const at = this.#timeAt(this.#hoverX);
    const picture = this.#picture;
    this.#options.onHover?.({
      at,
      x: this.#hoverX,
      ...this.#momentOfAll(at),
      picture: picture?.shown ?? null,
      pictureAt: picture?.at ?? null,
    });
  }

  #refresh(): void {
    this.#refreshTimer = this.surface.setTimer(() => {
      const { hidden } = this.canvas.ownerDocument;
      if (!hidden) {
        this.#load();
        this.#changed();
      }
      this.#refresh();
    }, REFRESH_MS);
  }

  #load(): void {
    const { now } = this.#options;
    if (this.#size.width === 0 || this.#end.signal.aborted || this.#options.lanes.length === 0) return;
    const wanted = this.#model.wanted(this.#view, now());
    const names = new Set(wanted.map(nameOf));
    for (const [name, controller] of this.#loading) {
      if (names.has(name)) continue;
      controller.abort();
      this.#loading.delete(name);
    }
    if (now() < this.#retryAt) return;
    for (const tile of wanted) {
      if (this.#loading.size >= IN_AIR_MAX) return;
      if (!this.#loading.has(nameOf(tile))) void this.#loadTile(tile);
    }
  }

  async #loadTile(tile: Tile): Promise<void> {
    const { now, loadCoverage, onError } = this.#options;
    const controller = new AbortController();
    const model = this.#model;
    const asked = now();
    this.#loading.set(nameOf(tile), controller);
    try {
      const lanes = await loadCoverage(tile.from, tile.to, model.maxPoints, controller.signal);
      if (controller.signal.aborted) return;
      model.put(tile, lanes, asked);
      this.#changed();
      this.#tellHover();
    } catch (error) {
      if (controller.signal.aborted) return;
      this.#retryAt = now() + RETRY_MS;
      onError?.(error);
    } finally {
      if (this.#loading.get(nameOf(tile)) === controller) this.#loading.delete(nameOf(tile));
    }
    this.#load();
  }

  #dropLoads(): void {
    for (const controller of this.#loading.values()) controller.abort();
    this.#loading.clear();
    this.#retryAt = 0;
  }

  #changed(): void {
    if (this.#frame !== null || this.#end.signal.aborted) return;
    this.#frame = this.surface.requestFrame(() => {
      this.#frame = null;
      this.#paint();
    });
  }

  #paint(): void {
    const context = this.canvas.getContext("2d") as Context | null;
    const { lanes, zone, locale, colours, font, now } = this.#options;
    this.#speak();
    if (!context) return;
    const at = now();
    const scene: Scene = {
      width: this.canvas.width,
      height: this.canvas.height,
      ratio: this.surface.ratio(),
      view: this.#view,
      zone,
      locale,
      now: at,
      playhead: this.#playhead,
      hover: this.#hoverX === null || this.#isTouch ? null : this.#timeAt(this.#hoverX),
      marks: this.#marks,
      lanes: lanes.map((name, lane) => ({ name, ...this.#model.lane(lane, this.#view, at) })),
      colours,
      font,
    };
    draw(context, scene);
  }

  #speak(): void {
    const at = this.#playhead ?? (this.#view.from + this.#view.to) / 2;
    const { canvas } = this;
    canvas.setAttribute("aria-valuemin", String(Math.round(this.#view.from)));
    canvas.setAttribute("aria-valuemax", String(Math.round(this.#view.to)));
    canvas.setAttribute("aria-valuenow", String(Math.round(at)));
    const spoken = this.#options.valueText({ at, ...this.#momentOfAll(at) });
    if (spoken === this.#lastText) return;
    this.#lastText = spoken;
    canvas.setAttribute("aria-valuetext", spoken);
  }
}

function nameOf(tile: Tile): string {
  return `${tile.level}:${tile.index}`;
}
