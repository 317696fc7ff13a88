// The tiles of a wall: who gets which tier, when live pictures stop and begin again. No framework in it but
// the signals that tell what is to be seen.

import { type ReadonlySignal, type Signal, computed, signal } from "@preact/signals";
import type { StreamHealth } from "../../api/types.ts";
import type { MediaSurface } from "../../live/feeder.ts";
import { Line } from "../../live/line.ts";
import { LivePool } from "../../live/pool.ts";
import type { Tier } from "../../live/protocol.ts";
import type { SocketOptions, SocketState } from "../../live/socket.ts";
import { LiveTile, type SoundState } from "../../live/tile.ts";
import {
  type Budget, type PlaybackSample, type Share, type TileNeed, type Why, Steps, shareOut, tierAbove, tierBelow,
} from "../../live/tiers.ts";
import type { LiveAnswer } from "./open-live.ts";
import { type Mode, type Shown, isSame, shownOf } from "./shown.ts";

export const TICK_MS = 250;
const SHARE_EVERY_TICKS = 4;
/** So long a tile waits to be told its size before it is counted as a large one. */
const HEALTH_WAIT_MS = 700;
/** Covered by the enlarged tile, or in a hidden page: as LiveTile frees its decoder. */
const HIDDEN_MS = 10_000;
/** One frame a tick is asked for: without one for so long, the picture stands. */
const STANDS_MS = 2 * TICK_MS;
const CLOCK_OFF_MS = 2000;
const DELAY_SANE_MS = 60_000;
const FPS = 25;

export interface Still {
  url: string | null;
  atMs: number | null;
}

export interface WallNeeds {
  socket: Pick<SocketOptions, "url" | "createSocket">;
  /** Why the connection failed before it was made. */
  ask: () => Promise<LiveAnswer>;
  /** Milliseconds by a clock that only rises; `performance.now`. */
  now: () => number;
  /** Milliseconds since 1970 by the same clock. */
  wallNow: () => number;
  /** The server's clock, until the feed's own pings tell. */
  serverNow: () => number;
  budget: Budget;
  ratio: () => number;
  healthOf: (name: string) => StreamHealth | undefined;
  /** Why a stream cannot be asked about; null when it can, or is not known yet. */
  faultOf: (name: string) => string | null;
  stillOf: (name: string) => Still | undefined;
  /** The tiles that have nothing better to show. */
  wantStills: (names: string[]) => void;
  surface?: MediaSurface;
}

export type Feed = { is: "live" } | { is: "stills"; why: LiveAnswer };

export class Wall {
  readonly feed: Signal<Feed> = signal({ is: "live" });
  /** Of the connection; null before there is one. */
  readonly link: Signal<SocketState | null> = signal(null);
  readonly tiles: Signal<ReadonlyMap<string, WallTile>> = signal(new Map());
  /** The tile that is heard, by its stream; one at a time. */
  readonly sound: Signal<string | null> = signal(null);
  #pool: LivePool;
  #line = new Line();
  #wasOpen = false;
  #isAsking = false;
  #enlarged: string | null = null;
  #hiddenAt: number | null = null;
  #isResting = false;
  #ticks = 0;
  #isClosed = false;

  constructor(readonly needs: WallNeeds) {
    this.#pool = this.#newPool();
  }

  /** A tile has come onto the page. */
  attach(name: string, video: HTMLVideoElement): WallTile {
    const tile = new WallTile(this, name, video);
    this.tiles.value = new Map(this.tiles.peek()).set(name, tile);
    return tile;
  }

  detach(tile: WallTile): void {
    tile.end();
    const tiles = new Map(this.tiles.peek());
    if (tiles.get(tile.name) === tile) tiles.delete(tile.name);
    this.tiles.value = tiles;
    this.#line.restart();
    this.#pool.tidy();
  }

  /** One tile over all others, or none. */
  enlarge(name: string | null): void {
    this.#enlarged = name;
    this.#line.restart();
    this.#hide();
    this.share();
  }

  /** Called by a press: else the browser may keep quiet. */
  setSound(name: string | null): void {
    this.sound.value = name;
    for (const tile of this.tiles.peek().values()) tile.tick();
  }

  setHidden(isHidden: boolean): void {
    this.#hiddenAt = isHidden ? this.#hiddenAt ?? this.needs.now() : null;
    if (!isHidden) {
      this.#isResting = false;
      this.#pool.wake();
    }
    for (const tile of this.tiles.peek().values()) tile.restart();
    this.#hide();
    this.tick();
  }

  get serverNow(): number {
    return this.#pool.clock?.now() ?? this.needs.serverNow();
  }

  get mayBeUnattended(): boolean {
    return this.#pool.mayBeUnattended;
  }

  get isLive(): boolean {
    return this.feed.peek().is === "live";
  }

  /** Tries live pictures anew, after they were given up. */
  retry(): void {
    if (this.isLive || this.#isClosed) return;
    this.#pool.close();
    this.#pool = this.#newPool();
    this.#wasOpen = false;
    this.link.value = null;
    this.feed.value = { is: "live" };
    this.share();
  }

  wake(): void {
    this.#pool.wake();
  }

  /** Four times a second. */
  tick(): void {
    const tiles = [...this.tiles.peek().values()];
    for (const tile of tiles) tile.tick();
    if (this.#ticks++ % SHARE_EVERY_TICKS !== 0) return;
    if (this.#hiddenAt === null) {
      this.#line.sample(this.needs.now(), this.#pool.lagMs);
      this.#step(tiles);
      this.look();
    } else if (!this.#isResting && this.needs.now() - this.#hiddenAt > HIDDEN_MS + TICK_MS) {
      // All tiles have let go: the connection may too.
      this.#isResting = true;
      this.#pool.tidy();
    }
  }

  /** What is known of the streams has changed, or some time has passed. */
  look(): void {
    this.share();
    if (this.#hiddenAt !== null || this.#isClosed) return;
    const bare = [...this.tiles.peek().values()].filter((tile) => !tile.isCovered && !tile.shown.peek().hasVideo);
    this.needs.wantStills(bare.map(({ name }) => name));
  }

  /** Shares the decode budget out. */
  share(): void {
    if (this.#hiddenAt !== null || this.#isClosed) return;
    const tiles = [...this.tiles.peek().values()];
    const budget = { ...this.needs.budget, line: this.#line.cap };
    const shares = shareOut(tiles.map((tile, id) => tile.need(id, tile.name === this.#enlarged)), budget);
    tiles.forEach((tile, id) => {
      const share = shares.get(id);
      if (share) tile.take(share, this.isLive);
    });
  }

  open(tile: WallTile, tier: Tier): LiveTile {
    const { now, surface, ratio } = this.needs;
    const { video } = tile;
    return new LiveTile({
      video,
      request: {
        stream: tile.name, tier, from: "live",
        max: [Math.round(video.clientWidth * ratio()), Math.round(video.clientHeight * ratio())],
      },
      open: (request, sink) => this.#pool.open(request, sink),
      now,
      isPrompt: () => this.#pool.isPrompt,
      // Stills come by GetThumbnails.
      onStill: () => {},
      onFrame: ({ wallMs, shownAt }) => tile.frame(this.serverNow - (now() - shownAt) - wallMs),
      ...(surface && { surface }),
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const tile of this.tiles.peek().values()) tile.end();
    this.tiles.value = new Map();
    this.#pool.close();
  }

  #newPool(): LivePool {
    const pool: LivePool = new LivePool({ ...this.needs.socket, now: this.needs.wallNow, onState: (state) => this.#heard(pool, state) });
    return pool;
  }

  #heard(pool: LivePool, state: SocketState): void {
    if (pool !== this.#pool || state.is === "closed" || this.#isClosed) return;
    this.link.value = state;
    if (state.is === "open") this.#wasOpen = true;
    if (state.is === "waiting" && !this.#wasOpen) void this.#ask(pool);
    // What is refused anew after a loss is asked about too.
    if (state.is === "waiting") this.#wasOpen = false;
  }

  async #ask(pool: LivePool): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const why = await this.needs.ask().catch(() => ({ is: "offline" }) as const);
    this.#isAsking = false;
    if (pool !== this.#pool || this.#isClosed || why.is === "there" || why.is === "offline") return;
    this.feed.value = { is: "stills", why };
    for (const tile of this.tiles.peek().values()) tile.end();
    pool.close();
    this.link.value = null;
  }

  #hide(): void {
    for (const tile of this.tiles.peek().values()) {
      const isCovered = this.#enlarged !== null && this.tiles.peek().has(this.#enlarged) && tile.name !== this.#enlarged;
      tile.setHidden(this.#hiddenAt !== null, isCovered);
    }
  }

  /** One step down at a time: a machine that is too busy drops frames in all tiles. */
  #step(tiles: readonly WallTile[]): void {
    const down = tiles.filter((tile) => tile.step() === "down");
    down.slice(1).forEach((tile) => tile.undoStep());
    if (down.length > 0) for (const tile of tiles) if (tile !== down[0]) tile.restart();
  }
}

export class WallTile {
  readonly shown: Signal<Shown>;
  readonly mode: ReadonlySignal<Mode>;
  readonly hasVideo: ReadonlySignal<boolean>;
  readonly pinned: Signal<Tier | null> = signal(null);
  readonly sound: Signal<SoundState> = signal("off");
  /** What the feed says of the pictures; "" before. */
  codec = "";
  live: LiveTile | null = null;
  isCovered = false;
  #steps = new Steps();
  #cap: Tier = "full";
  #isPlayable = true;
  #why: Why = null;
  /** Of the newest frame, and when that was. */
  #newest: { delayMs: number; at: number } | null = null;
  #since: number;
  #coveredAt: number | null = null;
  #isPageHidden = false;

  constructor(private readonly wall: Wall, readonly name: string, readonly video: HTMLVideoElement) {
    this.#since = wall.needs.now();
    this.shown = signal(this.#shown());
    this.mode = computed(() => this.shown.value.mode);
    this.hasVideo = computed(() => this.shown.value.hasVideo);
  }

  need(id: number, isEnlarged: boolean): TileNeed {
    const { healthOf, ratio, now } = this.wall.needs;
    const health = healthOf(this.name);
    const state = this.live?.state;
    const [width, height] = health?.WidthPixels && health.HeightPixels
      ? [health.WidthPixels, health.HeightPixels]
      : [state?.width ?? 0, state?.height ?? 0];
    return {
      id,
      full: width > 0 && height > 0 ? { width, height, fps: health?.FramesPerSecond ?? FPS } : null,
      sub: null,
      fragmentMs: this.live?.fragmentMs ?? health?.KeyFrameIntervalMilliseconds ?? null,
      isEnlarged,
      hasMotion: false,
      pinned: this.pinned.peek(),
      area: this.video.clientWidth * this.video.clientHeight * ratio() ** 2,
      cap: this.#cap,
      isHidden: this.#coveredAt !== null && now() - this.#coveredAt >= HIDDEN_MS,
      isPlayable: this.#isPlayable,
    };
  }

  take({ tier, why }: Share, isLive: boolean): void {
    this.#why = isLive ? why : null;
    if (!isLive || tier === "still") {
      // A covered tile has freed its decoder by itself, and comes back by itself.
      if (why !== "hidden") this.#drop();
      return;
    }
    if (this.live) return this.live.setTier(tier);
    const { healthOf, faultOf, now } = this.wall.needs;
    if (!healthOf(this.name) && !faultOf(this.name) && now() - this.#since < HEALTH_WAIT_MS) return;
    this.live = this.wall.open(this, tier);
    if (this.isCovered || this.#isPageHidden) this.live.setHidden(true);
  }

  /** Null: as the budget has it. */
  pin(tier: Tier | null): void {
    this.pinned.value = tier;
    this.wall.share();
    this.tick();
  }

  frame(delayMs: number): void {
    this.#newest = { delayMs, at: this.wall.needs.now() };
  }

  setHidden(isPageHidden: boolean, isCovered: boolean): void {
    const { now } = this.wall.needs;
    this.isCovered = isCovered;
    this.#isPageHidden = isPageHidden;
    this.#coveredAt = isCovered ? this.#coveredAt ?? now() : null;
    this.live?.setHidden(isPageHidden || isCovered);
    if (isPageHidden || isCovered) this.#newest = null;
  }

  tick(): void {
    const isHeard = this.wall.sound.peek() === this.name;
    this.live?.setSound(isHeard && !this.isCovered && !this.#isPageHidden);
    this.live?.tick();
    const state = this.live?.state;
    this.sound.value = state?.sound ?? (isHeard ? "waiting" : "off");
    if (state?.codec) this.codec = state.codec;
    if (state?.trouble?.is === "fault" && state.trouble.fault === "unsupported") {
      this.#isPlayable = false;
      this.#drop();
      this.wall.share();
    }
    const next = this.#shown();
    if (!isSame(next, this.shown.peek())) this.shown.value = next;
  }

  /** Steps by how the pictures run; tells the step it took. */
  step(): "down" | "up" | null {
    const state = this.live?.state;
    // What was lost with the connection, the camera or out of sight is not this computer's fault.
    if (!this.live || !state || this.isCovered || state.freshness.is !== "live" || !state.isLinked || state.gap) {
      this.#steps.restart();
      return null;
    }
    const canRise = this.#cap !== "full";
    const step = this.#steps.sample(this.live.playback ?? this.#calm(), canRise);
    if (step === "down") this.#cap = tierBelow(this.#cap, false);
    if (step === "up") this.#cap = tierAbove(this.#cap, false);
    return step;
  }

  undoStep(): void {
    this.#cap = tierAbove(this.#cap, false);
  }

  restart(): void {
    this.#steps.restart();
  }

  /** After a denial, an error, or a click that the browser wanted. */
  retry(): void {
    this.#isPlayable = true;
    if (this.live?.state.trouble?.is === "fault") void this.video.play().catch(() => {});
    this.live?.retry();
    this.wall.retry();
    this.wall.share();
  }

  end(): void {
    this.#drop();
    this.tick();
  }

  /** Behind the camera, of what is on the screen: a picture that stands gets older. */
  get #delayMs(): number | null {
    if (!this.#newest) return null;
    const since = this.wall.needs.now() - this.#newest.at;
    return this.#newest.delayMs + (since > STANDS_MS ? since : 0);
  }

  #drop(): void {
    this.live?.destroy();
    this.live = null;
    this.#newest = null;
  }

  /** Key frames do not drop: a clean stretch, after which more may be tried. */
  #calm(): PlaybackSample {
    const now = this.wall.needs.now();
    return {
      now, droppedFrames: 0, totalFrames: 0, playedS: now / 1000, receivedBytes: 0, isHidden: this.#isPageHidden, begunAt: -Infinity,
    };
  }

  #shown(): Shown {
    const { healthOf, faultOf, stillOf } = this.wall.needs;
    const health = healthOf(this.name);
    const still = stillOf(this.name);
    const delay = this.#delayMs;
    return shownOf({
      live: this.live?.state ?? null,
      why: this.#why,
      now: this.wall.serverNow,
      delayMs: delay,
      stillAtMs: still?.atMs ?? null,
      hasStill: Boolean(still?.url),
      isStillRefused: still?.url === null,
      isClockOff: Math.abs(health?.ClockSkewMilliseconds ?? 0) > CLOCK_OFF_MS || (delay !== null && (delay < -1000 || delay > DELAY_SANE_MS)),
      isOff: health?.State === "OFF",
      fault: faultOf(this.name),
    });
  }
}
