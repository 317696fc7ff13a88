// Plays one stream: live, or from an instant on. Of two video elements one is on the screen; the other opens
// the next session before the URL of this one ends. No framework in here.

import { ApiError, asApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import { openDash } from "./dash-engine.ts";
import { type Engine, type EngineEvents, type Facts, aheadOf, factsOf } from "./engine.ts";
import { Governor } from "./governor.ts";
import { Handover } from "./handover.ts";
import { openHls } from "./hls-engine.ts";

export type Transport = "ll-hls" | "hls" | "dash";
export type Phase =
  /** A session is being opened. */
  | "opening"
  /** Pictures come, or would if the buffer had some. */
  | "playing"
  | "paused"
  /** At the end of what is recorded. */
  | "ended"
  /** Nothing to play: see the error. Live is tried again. */
  | "failed";

export interface PlaybackState {
  isLive: boolean;
  phase: Phase;
  transport: Transport;
  /** Wall time of the picture on the screen, epoch milliseconds. */
  wallMs: number | null;
  /** Server's time now minus that: live only. */
  delayMs: number | null;
  /** Live, and no new picture for so long: the one on the screen is old. 0 when all is well. */
  staleMs: number;
  error: ApiError | null;
  /** Nothing was recorded at the instant asked for; playback went to the next picture. */
  skipped: { fromMs: number; toMs: number } | null;
  /** Delays of the last minute, two a second, oldest first. */
  delays: readonly (number | null)[];
  /** Which of the two video elements is on the screen. */
  shown: 0 | 1;
}

interface Needs {
  videos: readonly [HTMLVideoElement, HTMLVideoElement];
  api: Api;
  stream: string;
  serverNow: () => number;
  /** Nothing is connected, as far as known: there is no live session to open. */
  isOff: () => boolean;
  /** Seconds of a fragment, as far as known. */
  fragmentSeconds: () => number;
  changed: (state: PlaybackState) => void;
}

const TICK_MS = 100;
const REPORT_EVERY_TICKS = 5;
const DELAYS_KEPT = 120;
const STALE_MS = 3000;
/** Live playback that lies this far behind for so long has lost its edge: it is opened anew. */
const LOST_FRAGMENTS = 6;
const LOST_MIN_MS = 15_000;
const LOST_FOR_MS = 5000;
const HIDDEN_MS = 10_000;
const RETRY_MAX_MS = 30_000;
/** A recording is opened this long before the instant: fragments are listed by their start. */
const LEAD_MS = 20_000;
const SPAN_MS = 3_600_000;
const FRAGMENTS_MAX = 5000;
/** A URL that gets into wrong hands opens the stream for so long. */
const EXPIRES_SECONDS = 3600;
const RENEW_AFTER_MS = 0.8 * EXPIRES_SECONDS * 1000;
/** What cannot take over now is tried again. */
const RENEW_AGAIN_MS = 30_000;
const HANDOVER_TICK_MS = 40;
/** The one that goes is under the other one until that has drawn. */
const HANDOVER_BEHIND_MS = 300;

/** Opens a session of some kind, in either element. */
type Opening = (video: HTMLVideoElement, events: EngineEvents, signal: AbortSignal) => Promise<Engine>;

interface Standby {
  engine: Engine | undefined;
  controller: AbortController;
}

export class Playback {
  state: PlaybackState = {
    isLive: true, phase: "opening", transport: "ll-hls", wallMs: null, delayMs: null, staleMs: 0, error: null,
    skipped: null, delays: [], shown: 0,
  };
  #engine: Engine | undefined;
  #controller = new AbortController();
  #governor = new Governor();
  #timer = setInterval(() => this.#tick(), TICK_MS);
  #ticks = 0;
  #frame = { mediaTime: 0, shownAt: 0 };
  #jumpedAt = 0;
  #openedAt = performance.now();
  #lostSince: number | null = null;
  #retryMs = 1000;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #hidden: ReturnType<typeof setTimeout> | undefined;
  #isResting = false;
  #isPaused = false;
  #listeners = new AbortController();
  /** End of the range of the open recording. */
  #rangeEndMs = 0;
  #opening: Opening | undefined;
  #standby: Standby | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #expiresAt = Infinity;

  constructor(private readonly needs: Needs) {
    const { signal } = this.#listeners;
    for (const video of needs.videos) {
      video.addEventListener("ended", () => { if (video === this.video) void this.#ended(); }, { signal });
      this.#watchFrames(video);
    }
    document.addEventListener("visibilitychange", () => this.#visibility(), { signal });
  }

  /** The one on the screen. */
  get video(): HTMLVideoElement {
    return this.needs.videos[this.state.shown];
  }

  get #spare(): HTMLVideoElement {
    return this.needs.videos[this.state.shown === 0 ? 1 : 0];
  }

  live(transport: Transport = this.state.transport): Promise<void> {
    this.#isPaused = false;
    return this.#open({ isLive: true, transport, skipped: null }, async (video, events, signal) => {
      const { api, stream, isOff } = this.needs;
      if (isOff()) throw new ApiError("Playback", "ResourceNotFoundException", "Nothing is connected.", 404, null);
      const seconds = this.needs.fragmentSeconds();
      if (transport === "dash") {
        const url = await api.dashSessionUrl({
          StreamName: stream, PlaybackMode: "LIVE", Expires: EXPIRES_SECONDS, MaxManifestFragmentResults: 10,
          DASHFragmentSelector: { FragmentSelectorType: "SERVER_TIMESTAMP" },
        }, signal);
        return openDash(video, url, seconds, events);
      }
      const url = await api.hlsSessionUrl({
        StreamName: stream, PlaybackMode: "LIVE", Expires: EXPIRES_SECONDS, MaxMediaPlaylistFragmentResults: 10,
        HLSFragmentSelector: { FragmentSelectorType: "SERVER_TIMESTAMP" },
        DiscontinuityMode: "ON_DISCONTINUITY", DisplayFragmentTimestamp: "ALWAYS",
      }, signal);
      return transport === "ll-hls"
        ? openHls(video, `${url}&LowLatency=1`, "low-latency", seconds, events)
        : openHls(video, url, "live", seconds, events);
    });
  }

  /** Plays from an instant on, epoch milliseconds by the server's clock. */
  async from(wallMs: number): Promise<void> {
    const first = this.state.isLive ? null : this.#engine?.wallOf(0) ?? null;
    // Before the first picture that is listed there may be others.
    const found = first !== null && wallMs >= first ? this.#engine?.find(wallMs) : null;
    if (found && this.state.phase !== "failed") {
      this.video.currentTime = found.mediaTime;
      this.#say({ wallMs: found.wallMs, skipped: skipped(wallMs, found.wallMs) });
      if (!this.#isPaused) this.play();
      return;
    }
    await this.#openRecording(wallMs);
  }

  #openRecording(wallMs: number): Promise<void> {
    const now = this.needs.serverNow();
    const start = Math.min(wallMs, now - 2000) - LEAD_MS;
    const end = Math.min(wallMs + SPAN_MS, now - 500);
    this.#rangeEndMs = end;
    const opening: Opening = async (video, events, signal) => {
      const { api, stream } = this.needs;
      const url = await api.hlsSessionUrl({
        StreamName: stream, PlaybackMode: "ON_DEMAND", Expires: EXPIRES_SECONDS,
        MaxMediaPlaylistFragmentResults: FRAGMENTS_MAX, DisplayFragmentTimestamp: "ALWAYS",
        DiscontinuityMode: "ON_DISCONTINUITY",
        HLSFragmentSelector: {
          FragmentSelectorType: "SERVER_TIMESTAMP",
          TimestampRange: { StartTimestamp: start / 1000, EndTimestamp: end / 1000 },
        },
      }, signal);
      return openHls(video, url, "recording", this.needs.fragmentSeconds(), events);
    };
    return this.#open({ isLive: false, wallMs, skipped: null }, opening, (engine, signal) => {
      this.#seekWhenListed(engine, wallMs, signal);
    });
  }

  /** The list comes later than the engine. */
  #seekWhenListed(engine: Engine, wallMs: number, signal: AbortSignal): void {
    const timer = setInterval(() => {
      if (signal.aborted) return clearInterval(timer);
      if (engine.wallOf(0) === null) return;
      clearInterval(timer);
      const found = engine.find(wallMs);
      if (found) {
        this.video.currentTime = found.mediaTime;
        this.#say({ wallMs: found.wallMs, skipped: skipped(wallMs, found.wallMs) });
      } else {
        // All that is listed is older: stand at its end.
        this.#say({ phase: "ended" });
      }
    }, 20);
  }

  play(): void {
    this.#isPaused = false;
    void this.video.play().catch(() => this.#mutedPlay());
    this.#say({ phase: "playing" });
  }

  pause(): void {
    this.#isPaused = true;
    this.video.pause();
    this.#say({ phase: "paused" });
  }

  /** Leaves the element on the screen to another player. What is asked for next opens a session of its own. */
  suspend(): void {
    this.#close();
    this.pause();
  }

  /** By so many seconds of the picture on the screen; leaves live. */
  skip(seconds: number): Promise<void> {
    const from = this.state.wallMs ?? this.needs.serverNow();
    const to = from + seconds * 1000;
    // Nobody sees what has not been yet.
    if (this.state.isLive && seconds > 0) return Promise.resolve();
    return this.from(Math.min(to, this.needs.serverNow() - 1000));
  }

  setRate(rate: number): void {
    this.video.playbackRate = rate;
  }

  /** Wall time of the very picture on the screen, epoch milliseconds: the state's is up to half a second old. */
  shownWallMs(): number | null {
    if (this.#frame.shownAt === 0 || this.video.seeking) return this.state.wallMs;
    return this.#engine?.wallOf(this.#frame.mediaTime) ?? this.state.wallMs;
  }

  facts(): Facts | null {
    return this.#engine ? factsOf(this.video, this.#engine) : null;
  }

  /** Tries again now what failed. */
  retry(): Promise<void> {
    return this.state.isLive ? this.live() : this.#openRecording(this.state.wallMs ?? this.needs.serverNow());
  }

  destroy(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#hidden);
    this.#listeners.abort();
    this.#close();
  }

  /** Nothing is open, and nothing on its way. */
  #close(): void {
    this.#controller.abort();
    clearTimeout(this.#retry);
    this.#endStandby();
    clearTimeout(this.#renewal);
    this.#opening = undefined;
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  async #open(
    begins: Partial<PlaybackState>, opening: Opening, opened?: (engine: Engine, signal: AbortSignal) => void,
  ): Promise<void> {
    this.#controller.abort();
    clearTimeout(this.#retry);
    this.#endStandby();
    clearTimeout(this.#renewal);
    const { signal } = (this.#controller = new AbortController());
    // The old picture stays until there is a new one to show; what was old about it does not.
    this.#say({ ...begins, phase: "opening", error: null, delayMs: null, staleMs: 0 });
    try {
      this.#engine?.destroy();
      this.#engine = undefined;
      this.#governor = new Governor();
      this.#lostSince = null;
      this.#openedAt = performance.now();
      this.#frame.shownAt = 0;
      this.#jumpedAt = 0;
      const engine = await opening(this.video, this.#events(signal), signal);
      if (signal.aborted) {
        engine.destroy();
        return;
      }
      this.#engine = engine;
      this.#opening = opening;
      this.#isResting = false;
      this.#renewed();
      opened?.(engine, signal);
      if (this.#isPaused) this.#say({ phase: "paused" });
      else this.play();
    } catch (error) {
      if (!signal.aborted) this.#fail(asApiError(error, "Playback"));
    }
  }

  #events(signal: AbortSignal): EngineEvents {
    return {
      failed: (name: string, message: string, status: number) => {
        if (signal.aborted) return;
        // The computer slept through the renewal.
        if (!this.state.isLive && Date.now() > this.#expiresAt) return void this.retry();
        const text = message || name;
        this.#fail(asApiError(Object.assign(new Error(text), { name }), `Playback ${name} ${status || ""}`.trim()));
      },
    };
  }

  #fail(error: ApiError): void {
    this.#endStandby();
    clearTimeout(this.#renewal);
    this.#engine?.destroy();
    this.#engine = undefined;
    this.#say({ phase: "failed", error, delayMs: null });
    if (!this.state.isLive) return;
    this.#retry = setTimeout(() => void this.live(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
  }

  /** Browsers start sound only after a press of the viewer's: pictures start without. */
  #mutedPlay(): void {
    const { video } = this;
    if (video.muted || this.#isPaused || !this.#engine) return;
    video.muted = true;
    void video.play().catch(() => {});
  }

  /** Goes on behind the range that was open, if there is more. */
  async #ended(): Promise<void> {
    if (this.state.isLive) return;
    const last = this.state.wallMs ?? this.#rangeEndMs;
    if (this.needs.serverNow() - last > 15_000 && last >= this.#rangeEndMs - LEAD_MS) await this.#openRecording(last + 100);
    else this.#say({ phase: "ended" });
  }

  #watchFrames(video: HTMLVideoElement): void {
    const { signal } = this.#listeners;
    const onFrame: VideoFrameRequestCallback = (_now, { mediaTime, expectedDisplayTime }) => {
      if (signal.aborted) return;
      // A player that nudges its playhead at the end of what it has draws the same picture again.
      if (video === this.video && (mediaTime !== this.#frame.mediaTime || this.#frame.shownAt === 0)) {
        this.#frame = { mediaTime, shownAt: Math.max(performance.now() - 50, expectedDisplayTime) };
        this.#retryMs = 1000;
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback?.(onFrame);
  }

  #tick(): void {
    const engine = this.#engine;
    const { video } = this;
    if (!engine || this.#isResting) return;
    const now = performance.now();
    if (this.state.isLive && this.state.phase === "playing") this.#keepEdge(engine, now);
    if (++this.#ticks % REPORT_EVERY_TICKS !== 0) return;
    const frameTime = this.#frame.shownAt > 0 ? this.#frame.mediaTime : video.currentTime;
    const isSeeking = video.seeking || this.state.phase === "opening";
    const wallMs = isSeeking ? this.state.wallMs : engine.wallOf(frameTime) ?? this.state.wallMs;
    if (!this.state.isLive) {
      if (wallMs !== this.state.wallMs) this.#say({ wallMs });
      return;
    }
    const since = now - Math.max(this.#frame.shownAt, this.#openedAt);
    const isStale = this.state.phase === "playing" && since > STALE_MS;
    const shownAt = this.#frame.shownAt || now;
    const delayMs = this.#frame.shownAt > 0 && wallMs !== null
      ? this.needs.serverNow() - (now - shownAt) - wallMs
      : null;
    const isLost = this.state.phase === "playing" && !isStale && delayMs !== null &&
      delayMs > Math.max(LOST_MIN_MS, LOST_FRAGMENTS * 1000 * this.needs.fragmentSeconds());
    if (!isLost) this.#lostSince = null;
    else if (now - (this.#lostSince ??= now) > LOST_FOR_MS) return void this.live();
    this.#say({
      wallMs,
      delayMs: isStale ? null : delayMs,
      staleMs: isStale ? since : 0,
      delays: [...this.state.delays, isStale ? null : delayMs].slice(-DELAYS_KEPT),
    });
  }

  #keepEdge(engine: Engine, now: number): void {
    const { video } = this;
    const edge = engine.liveEdge();
    if (edge === null || !Number.isFinite(edge) || video.seeking || video.readyState < 2) return;
    const order = this.#governor.decide({
      now, behind: edge - video.currentTime, ahead: aheadOf(video), hasShown: this.#frame.shownAt > this.#jumpedAt,
    });
    if ("jump" in order) {
      this.#jumpedAt = now;
      video.playbackRate = 1;
      video.currentTime = edge;
    } else if (video.playbackRate !== order.rate) {
      video.playbackRate = order.rate;
    }
  }

  /** Nobody looks: no decoding. Back again: at the edge, never fast forward. */
  #visibility(): void {
    clearTimeout(this.#hidden);
    if (document.hidden) {
      if (this.state.isLive) this.#hidden = setTimeout(() => {
        this.#isResting = true;
        this.video.pause();
        this.#engine?.rest(true);
      }, HIDDEN_MS);
    } else if (this.#isResting) {
      this.#isResting = false;
      if (this.state.isLive && !this.#isPaused) void this.live();
    }
  }

  #renewed(): void {
    this.#expiresAt = Date.now() + EXPIRES_SECONDS * 1000;
    this.#renewLater(RENEW_AFTER_MS);
  }

  #renewLater(afterMs: number): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(), afterMs);
  }

  /** A new session beside the one on the screen, which it follows without a break. */
  async #renew(): Promise<void> {
    const opening = this.#opening;
    if (!opening || !this.#engine || this.#isResting) return; // what is asked for next opens one anyway
    if (this.state.isLive && this.#isPaused) {
      // Played again it goes on as a recording; until then its picture stays.
      this.#engine.rest(true);
      return;
    }
    this.#endStandby();
    const standby: Standby = { engine: undefined, controller: new AbortController() };
    this.#standby = standby;
    const { signal } = standby.controller;
    const video = this.#spare;
    video.muted = true;
    const fail = () => {
      if (this.#standby !== standby) return;
      this.#endStandby();
      this.#renewLater(RENEW_AGAIN_MS);
    };
    let isShown = false;
    const events: EngineEvents = {
      failed: (...what) => (isShown ? this.#events(signal).failed(...what) : fail()),
    };
    try {
      const engine = await opening(video, events, signal);
      if (signal.aborted) return engine.destroy();
      standby.engine = engine;
      const handover = new Handover();
      const timer = setInterval(() => {
        if (signal.aborted || isShown) return clearInterval(timer);
        const order = handover.decide(this.#sides(engine, video), performance.now());
        if (order.do === "seek") video.currentTime = order.to;
        else if (order.do === "swap") {
          isShown = true;
          this.#swap(standby, engine, opening);
        } else if (order.do === "give-up") fail();
      }, HANDOVER_TICK_MS);
    } catch {
      fail();
    }
  }

  #sides(engine: Engine, video: HTMLVideoElement) {
    const { isLive } = this.state;
    const active = this.video;
    const mediaTimeOf = (wallMs: number) => {
      if (!isLive) return engine.find(wallMs)?.mediaTime ?? null;
      const at = video.buffered.length > 0 ? engine.wallOf(video.currentTime) : null;
      return at === null ? null : video.currentTime + (wallMs - at) / 1000;
    };
    // Paused, the playhead may stand between two pictures: the one that is seen counts.
    const shownAt = active.paused && this.#frame.shownAt > 0 ? this.#frame.mediaTime : active.currentTime;
    return {
      activeWall: active.seeking ? null : this.#engine?.wallOf(shownAt) ?? null,
      isStill: active.paused,
      mediaTimeOf,
      aheadOf: (mediaTime: number) => aheadOf(video, mediaTime),
      isReady: !video.seeking && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA,
      canLoad: !isLive,
    };
  }

  /** The standby is at the picture that is to be shown now. */
  #swap(standby: Standby, engine: Engine, opening: Opening): void {
    const [before, after] = [this.video, this.#spare];
    const old = this.#engine;
    this.#standby = undefined;
    // What fails from here on is of the one on the screen.
    this.#controller.abort();
    this.#controller = standby.controller;
    this.#engine = engine;
    this.#opening = opening;
    this.#governor = new Governor();
    this.#lostSince = null;
    this.#frame = { mediaTime: after.currentTime, shownAt: performance.now() };
    const { muted, volume, playbackRate, paused } = before;
    after.volume = volume;
    if (!this.state.isLive) after.playbackRate = playbackRate;
    before.muted = true;
    after.muted = muted;
    if (!paused) {
      void after.play().catch(() => {
        after.muted = true;
        void after.play().catch(() => {});
      });
    }
    this.#say({ shown: this.state.shown === 0 ? 1 : 0 });
    setTimeout(() => old?.destroy(), HANDOVER_BEHIND_MS);
    this.#renewed();
  }

  #endStandby(): void {
    const standby = this.#standby;
    if (!standby) return;
    this.#standby = undefined;
    standby.controller.abort();
    standby.engine?.destroy();
  }

  #say(patch: Partial<PlaybackState>): void {
    this.state = { ...this.state, ...patch };
    this.needs.changed(this.state);
  }
}

/** More than a fragment's jitter away is worth a word. */
function skipped(askedMs: number, foundMs: number): PlaybackState["skipped"] {
  return foundMs - askedMs > 1500 ? { fromMs: askedMs, toMs: foundMs } : null;
}
