// Plays one stream in one video element: live, or from an instant on. No framework in here.

import { ApiError, asApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import { openDash } from "./dash-engine.ts";
import { type Engine, type Facts, aheadOf, factsOf } from "./engine.ts";
import { Governor } from "./governor.ts";
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
}

interface Needs {
  video: HTMLVideoElement;
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
const EXPIRES_SECONDS = 43_200;

export class Playback {
  state: PlaybackState = {
    isLive: true, phase: "opening", transport: "ll-hls", wallMs: null, delayMs: null, staleMs: 0, error: null,
    skipped: null, delays: [],
  };
  #engine: Engine | undefined;
  #controller = new AbortController();
  #governor = new Governor();
  #timer = setInterval(() => this.#tick(), TICK_MS);
  #ticks = 0;
  #frame = { mediaTime: 0, shownAt: 0 };
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

  constructor(private readonly needs: Needs) {
    const { video } = needs;
    const { signal } = this.#listeners;
    video.addEventListener("ended", () => void this.#ended(), { signal });
    document.addEventListener("visibilitychange", () => this.#visibility(), { signal });
    this.#watchFrames();
  }

  live(transport: Transport = this.state.transport): Promise<void> {
    this.#isPaused = false;
    return this.#open({ isLive: true, transport, skipped: null }, async (signal) => {
      const { api, stream, video, isOff } = this.needs;
      if (isOff()) throw new ApiError("Playback", "ResourceNotFoundException", "Nothing is connected.", 404, null);
      const seconds = this.needs.fragmentSeconds();
      const events = this.#events();
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
      this.needs.video.currentTime = found.mediaTime;
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
    return this.#open({ isLive: false, wallMs, skipped: null }, async (signal) => {
      const { api, stream, video } = this.needs;
      const url = await api.hlsSessionUrl({
        StreamName: stream, PlaybackMode: "ON_DEMAND", Expires: EXPIRES_SECONDS,
        MaxMediaPlaylistFragmentResults: FRAGMENTS_MAX, DisplayFragmentTimestamp: "ALWAYS",
        DiscontinuityMode: "ON_DISCONTINUITY",
        HLSFragmentSelector: {
          FragmentSelectorType: "SERVER_TIMESTAMP",
          TimestampRange: { StartTimestamp: start / 1000, EndTimestamp: end / 1000 },
        },
      }, signal);
      const engine = await openHls(video, url, "recording", this.needs.fragmentSeconds(), this.#events());
      this.#seekWhenListed(engine, wallMs, signal);
      return engine;
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
        this.needs.video.currentTime = found.mediaTime;
        this.#say({ wallMs: found.wallMs, skipped: skipped(wallMs, found.wallMs) });
      } else {
        // All that is listed is older: stand at its end.
        this.#say({ phase: "ended" });
      }
    }, 20);
  }

  play(): void {
    this.#isPaused = false;
    void this.needs.video.play().catch(() => this.#mutedPlay());
    this.#say({ phase: "playing" });
  }

  pause(): void {
    this.#isPaused = true;
    this.needs.video.pause();
    this.#say({ phase: "paused" });
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
    this.needs.video.playbackRate = rate;
  }

  /** Wall time of the very picture on the screen, epoch milliseconds: the state's is up to half a second old. */
  shownWallMs(): number | null {
    if (this.#frame.shownAt === 0 || this.needs.video.seeking) return this.state.wallMs;
    return this.#engine?.wallOf(this.#frame.mediaTime) ?? this.state.wallMs;
  }

  facts(): Facts | null {
    return this.#engine ? factsOf(this.needs.video, this.#engine) : null;
  }

  /** Tries again now what failed. */
  retry(): Promise<void> {
    return this.state.isLive ? this.live() : this.#openRecording(this.state.wallMs ?? this.needs.serverNow());
  }

  destroy(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    clearTimeout(this.#hidden);
    this.#listeners.abort();
    this.#controller.abort();
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  async #open(
    begins: Partial<PlaybackState>, open: (signal: AbortSignal) => Promise<Engine>,
  ): Promise<void> {
    this.#controller.abort();
    clearTimeout(this.#retry);
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
      const engine = await open(signal);
      if (signal.aborted) {
        engine.destroy();
        return;
      }
      this.#engine = engine;
      this.#isResting = false;
      if (this.#isPaused) this.#say({ phase: "paused" });
      else this.play();
    } catch (error) {
      if (!signal.aborted) this.#fail(asApiError(error, "Playback"));
    }
  }

  #events() {
    const { signal } = this.#controller;
    return {
      failed: (name: string, message: string, status: number) => {
        if (signal.aborted) return;
        const text = message || name;
        this.#fail(asApiError(Object.assign(new Error(text), { name }), `Playback ${name} ${status || ""}`.trim()));
      },
    };
  }

  #fail(error: ApiError): void {
    this.#engine?.destroy();
    this.#engine = undefined;
    this.#say({ phase: "failed", error, delayMs: null });
    if (!this.state.isLive) return;
    this.#retry = setTimeout(() => void this.live(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
  }

  /** Browsers start sound only after a press of the viewer's: pictures start without. */
  #mutedPlay(): void {
    const { video } = this.needs;
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

  #watchFrames(): void {
    const { video } = this.needs;
    const { signal } = this.#listeners;
    const onFrame: VideoFrameRequestCallback = (_now, { mediaTime, expectedDisplayTime }) => {
      if (signal.aborted) return;
      // A player that nudges its playhead at the end of what it has draws the same picture again.
      if (mediaTime !== this.#frame.mediaTime || this.#frame.shownAt === 0) {
        this.#frame = { mediaTime, shownAt: Math.max(performance.now() - 50, expectedDisplayTime) };
        this.#retryMs = 1000;
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback?.(onFrame);
  }

  #tick(): void {
    const engine = this.#engine;
    const { video } = this.needs;
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
    const { video } = this.needs;
    const edge = engine.liveEdge();
    if (edge === null || !Number.isFinite(edge) || video.seeking || video.readyState < 2) return;
    const order = this.#governor.decide({ behind: edge - video.currentTime, ahead: aheadOf(video) }, now / 1000);
    if ("jump" in order) {
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
        this.needs.video.pause();
        this.#engine?.rest(true);
      }, HIDDEN_MS);
    } else if (this.#isResting) {
      this.#isResting = false;
      if (this.state.isLive && !this.#isPaused) void this.live();
    }
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
