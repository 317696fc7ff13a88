/** One live tile: joins its part of the socket with a feeder, and knows whether what it shows is of now. */

import { Feeder, type FeederFault, type FeederStats, type Frame, type MediaSurface } from "./feeder.ts";
import type { Chunk, Tier } from "./protocol.ts";
import { type SoundFault, SoundPlayer } from "./sound.ts";
import type { TileLink, TileRequest, TileSink } from "./socket.ts";
import { type Freshness, StaleWatch, limitOf } from "./stale.ts";
import type { PlaybackSample } from "./tiers.ts";

export type TileTrouble =
  | { is: "denied" | "error" | "end"; name: string; text: string }
  | { is: "fault"; fault: FeederFault };

export type SoundState =
  /** Nobody wants it. */
  | "off"
  | "waiting"
  | "on"
  /** The stream has none that can be played. */
  | "none"
  /** Only key frames are shown. */
  | "key"
  /** The browser waits for a press, or cannot play it. */
  | "blocked" | "unsupported";

export interface TileState {
  freshness: Freshness;
  /** What the server sends; null before it has said so. */
  tier: Tier | null;
  /** Why it is not what was wished. */
  why: string | null;
  codec: string | null;
  width: number;
  height: number;
  trouble: TileTrouble | null;
  /** Nothing comes from the camera, and why: what is on screen is old. */
  gap: { from: string; reason: string } | null;
  retries: number;
  retryAt: number | null;
  sound: SoundState;
  isLinked: boolean;
  isHidden: boolean;
  /** Wall time of what is on screen, in milliseconds since 1970. */
  wallMs: number | null;
}

export interface LiveTileOptions {
  video: HTMLVideoElement;
  request: TileRequest;
  open: (request: TileRequest, sink: TileSink) => TileLink;
  /** Milliseconds by a clock that only rises. */
  now: () => number;
  /** Whether what was asked for would be here; while it may be on the way, it is not asked for anew. */
  isPrompt?: () => boolean;
  onStill: (jpeg: Uint8Array, wallMs: number) => void;
  onFrame?: (frame: Frame) => void;
  surface?: MediaSurface;
  createAudio?: () => HTMLAudioElement;
}

const HIDDEN_GRACE_MS = 10_000;
/** Key frames that the time between them is taken from. */
const KEY_SAMPLES = 5;

export class LiveTile {
  #options: LiveTileOptions;
  #link: TileLink | null = null;
  #feeder: Feeder | null = null;
  #watch: StaleWatch;
  #hiddenAt: number | null = null;
  #isStopped = false;
  #isEnded = false;
  #wished: Tier;
  #tier: Tier | null = null;
  #why: string | null = null;
  #codec: string | null = null;
  #size = { width: 0, height: 0 };
  #trouble: TileTrouble | null = null;
  #gap: TileState["gap"] = null;
  #isLinked = true;
  #wallMs: number | null = null;
  #keyTimes: number[] = [];
  #wantsSound = false;
  #player: SoundPlayer | null = null;
  /** What the server said of the sound, or what went wrong with it. */
  #soundTrouble: "none" | SoundFault | null = null;

  constructor(options: LiveTileOptions) {
    this.#options = options;
    this.#wished = options.request.tier;
    this.#watch = new StaleWatch(options.now());
    this.#open();
  }

  get state(): TileState {
    const { now } = this.#options;
    return {
      freshness: this.#watch.state(now(), this.#limit()),
      tier: this.#tier,
      why: this.#why,
      codec: this.#codec,
      ...this.#size,
      trouble: this.#trouble,
      gap: this.#gap,
      retries: this.#watch.retries,
      retryAt: this.#watch.retryAt,
      sound: this.#sound(),
      isLinked: this.#isLinked,
      isHidden: this.#hiddenAt !== null,
      wallMs: this.#wallMs,
    };
  }

  get stats(): FeederStats | null {
    return this.#feeder?.stats ?? null;
  }

  get playback(): PlaybackSample | null {
    return this.#tier === "key" || this.#tier === "still" ? null : (this.#feeder?.playback ?? null);
  }

  /** Milliseconds between key frames, as they come; null while not known. */
  get fragmentMs(): number | null {
    const [first] = this.#keyTimes;
    const last = this.#keyTimes.at(-1);
    if (first === undefined || last === undefined || this.#keyTimes.length < 2) return null;
    return (last - first) / (this.#keyTimes.length - 1);
  }

  setTier(tier: Tier): void {
    if (tier === this.#wished) return;
    this.#wished = tier;
    this.#link?.setTier(tier);
  }

  /** From now on with sound, or without. After a press: else the browser may keep quiet. */
  setSound(isOn: boolean): void {
    if (isOn === this.#wantsSound) return;
    this.#wantsSound = isOn;
    this.#soundTrouble = null;
    if (!isOn) this.#quiet();
    this.#link?.setSound(isOn);
  }

  /** To be called four times a second by the page's one interval. */
  tick(): void {
    const now = this.#options.now();
    if (this.#hiddenAt !== null) {
      if (!this.#isStopped && now - this.#hiddenAt >= HIDDEN_GRACE_MS) this.#stop();
      return;
    }
    this.#feeder?.tick();
    this.#player?.tick();
    // In a gap the server tells when there is something again.
    if (this.#isEnded || !this.#isLinked || this.#gap) return;
    if (!this.#watch.isLate(now, this.#limit())) return;
    // On a slow line, what is on the way would be thrown away, and more sent.
    if (this.#options.isPrompt && !this.#options.isPrompt()) return;
    if (this.#watch.isRetryDue(now, this.#limit())) this.#reopen();
  }

  /** The tab, the window, or the tile itself is out of sight. */
  setHidden(isHidden: boolean): void {
    const now = this.#options.now();
    if (isHidden === (this.#hiddenAt !== null)) return;
    this.#hiddenAt = isHidden ? now : null;
    this.#watch.setHidden(isHidden, now);
    this.#feeder?.setHidden(isHidden);
    if (!isHidden && this.#isStopped) {
      this.#isStopped = false;
      this.#open();
    }
  }

  /** After a denial or an end. */
  retry(): void {
    this.#trouble = null;
    this.#isEnded = false;
    if (!this.#isStopped) this.#reopen();
  }

  destroy(): void {
    this.#isEnded = true;
    this.#stop();
  }

  #open(): void {
    const { request, open } = this.#options;
    this.#link = open({ ...request, tier: this.#wished }, this.#sink());
    if (this.#wantsSound) this.#link.setSound(true);
  }

  #stop(): void {
    this.#isStopped = true;
    this.#link?.close();
    this.#link = null;
    this.#quiet();
    this.#feeder?.destroy();
    this.#feeder = null;
    this.#tier = null;
    this.#wallMs = null;
  }

  #reopen(): void {
    // The last picture stays on screen, grey, until a new one comes.
    this.#gap = null;
    this.#keyTimes = [];
    this.#link?.reopen({ tier: this.#wished });
  }

  #sink(): TileSink {
    return {
      onInit: ({ codec, w, h, tier, why }) => {
        this.#codec = codec;
        this.#size = { width: w, height: h };
        this.#tier = tier;
        this.#why = why;
        this.#trouble = null;
        this.#gap = null;
        this.#keyTimes = [];
        if (tier === "still") {
          this.#feeder?.destroy();
          this.#feeder = null;
          return;
        }
        this.#feeder ??= this.#newFeeder();
        this.#feeder.setFormat({ codec, isKeyOnly: tier === "key" });
      },
      onSound: ({ codec }) => {
        if (!this.#wantsSound) return;
        this.#soundTrouble = codec === null ? "none" : null;
        if (codec === null) return this.#quiet();
        this.#player ??= this.#newPlayer();
        this.#player.setFormat(codec);
      },
      onChunk: (chunk, done) => {
        if (chunk.kind === "sound-init" || chunk.kind === "sound") {
          if (!this.#player) return done();
          return this.#player.push(chunk, done);
        }
        if (this.#gap) this.#feeder?.begin();
        this.#gap = null;
        // What was refused was not the tile itself.
        if (this.#trouble?.is === "error") this.#trouble = null;
        if (chunk.kind === "still") {
          this.#still(chunk);
          return done();
        }
        if (chunk.kind === "media" && chunk.isKey) this.#key(chunk);
        if (!this.#feeder) return done();
        this.#feeder.push(chunk, done);
      },
      onGap: ({ from, reason }) => {
        this.#gap = { from, reason };
      },
      onEnd: (is, name, text) => {
        this.#trouble = { is, name, text };
        // An error may pass: the watch tries again. A denial does not by itself.
        this.#isEnded = is !== "error";
      },
      onLink: (isUp) => {
        this.#isLinked = isUp;
        this.#gap = null;
      },
    };
  }

  #newFeeder(): Feeder {
    const { video, now, onFrame, request, surface } = this.#options;
    const feeder = new Feeder({
      video,
      isLive: request.from === "live",
      now,
      ...(surface && { surface }),
      onFrame: (frame) => {
        this.#seen(frame.wallMs);
        onFrame?.(frame);
      },
      onFault: (fault) => {
        this.#trouble = { is: "fault", fault };
        if (fault === "blocked") return;
        // A player that failed once fails again: the retry makes a new one.
        if (this.#feeder === feeder) this.#feeder = null;
        feeder.destroy();
        this.#wallMs = null;
        if (fault === "unsupported") this.#isEnded = true;
      },
    });
    feeder.setHidden(this.#hiddenAt !== null);
    return feeder;
  }

  #newPlayer(): SoundPlayer {
    const { surface, createAudio } = this.#options;
    const player = new SoundPlayer({
      audio: createAudio ? createAudio() : document.createElement("audio"),
      lead: () => this.#feeder?.lead ?? null,
      onFault: (fault) => {
        this.#soundTrouble = fault;
        if (this.#player === player) this.#player = null;
        player.destroy();
      },
      ...(surface && { surface }),
    });
    return player;
  }

  #quiet(): void {
    this.#player?.destroy();
    this.#player = null;
  }

  #sound(): SoundState {
    if (!this.#wantsSound) return "off";
    const trouble = this.#soundTrouble;
    if (trouble === "malformed" || trouble === "decode") return "unsupported";
    if (trouble) return trouble;
    if (this.#tier === "key" || this.#tier === "still") return "key";
    return this.#player?.isPlaying ? "on" : "waiting";
  }

  #still(chunk: Chunk): void {
    const wallMs = chunk.wallUs / 1000;
    this.#options.onStill(chunk.bytes, wallMs);
    this.#seen(wallMs);
  }

  #seen(wallMs: number): void {
    // The same picture again is no news.
    if (wallMs === this.#wallMs) return;
    this.#wallMs = wallMs;
    // The last picture of the archive, which a tile without a camera begins with.
    if (this.#gap) return;
    this.#watch.frame(this.#options.now());
  }

  #key(chunk: Chunk): void {
    this.#keyTimes.push(chunk.wallUs / 1000);
    if (this.#keyTimes.length > KEY_SAMPLES) this.#keyTimes.shift();
  }

  #limit(): number {
    return limitOf(this.#tier ?? this.#wished, this.fragmentMs);
  }
}
