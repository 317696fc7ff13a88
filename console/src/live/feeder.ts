/**
 * Feeds one `<video>` from the live feed by Media Source Extensions.
 *
 * Stretches of media are put one behind the other on the player's timeline, whatever their own times are: a gap,
 * another tier or a new connection then never leaves a hole for the player to wait at. What wall time a
 * position has is kept beside it.
 */

import { decodeTimeOf, lasting, timescalesOf } from "./boxes.ts";
import { type Decision, FeedEdge } from "./edge.ts";
import type { Chunk } from "./protocol.ts";
import type { PlaybackSample } from "./tiers.ts";

export type FeederFault =
  /** The browser cannot decode it. */
  | "unsupported"
  /** Not a CMAF header or fragment. */
  | "malformed"
  /** The decoder or the buffer gave up. */
  | "decode"
  /** The browser waits for a click before it plays. */
  | "blocked";

export interface Frame {
  /** Wall time of the frame on screen, in milliseconds since 1970. */
  wallMs: number;
  /** When it is seen, by `performance.now`. */
  shownAt: number;
}

/** What of the browser is used, for tests. */
export interface MediaSurface {
  createSource: () => MediaSource;
  isTypeSupported: (type: string) => boolean;
  createUrl: (source: MediaSource) => string;
  revokeUrl: (url: string) => void;
}

export const BROWSER_MEDIA: MediaSurface = {
  createSource: () => new (sourceClass())(),
  isTypeSupported: (type) => sourceClass().isTypeSupported(type),
  createUrl: (source) => URL.createObjectURL(source),
  revokeUrl: (url) => URL.revokeObjectURL(url),
};

/** An iPhone has only the managed one. */
function sourceClass(): typeof MediaSource {
  const { ManagedMediaSource } = globalThis as { ManagedMediaSource?: typeof MediaSource };
  return ManagedMediaSource ?? MediaSource;
}

export interface FeederOptions {
  video: HTMLVideoElement;
  /** Of the past, nothing is dropped and no edge is kept. */
  isLive: boolean;
  /** Milliseconds by a clock that only rises. */
  now: () => number;
  onFrame?: (frame: Frame) => void;
  onFault?: (fault: FeederFault) => void;
  surface?: MediaSurface;
}

export interface Format {
  codec: string;
  /** Key frames only: the player stays paused and is sought to each. */
  isKeyOnly: boolean;
}

export interface FeederStats {
  position: number;
  behindS: number;
  aheadS: number;
  queuedBytes: number;
  droppedChunks: number;
  rate: number;
  targetS: number;
  /** Of the frame on screen. */
  wallMs: number | null;
}

export const BEHIND_S_MAX = 10;
export const AHEAD_S_MAX = 4;
/** Into a key frame, so that rounding does not land before it. */
const INTO_FRAME_S = 0.01;
const DRY_S = 0.1;
/** A stretch that begins with one frame for so long begins with what there was last. */
const STAND_IN_S = 0.2;
/** How long it is told to last. */
const STAND_IN_TOLD_S = 0.04;
const ANCHORS_MAX = 600;

type Job =
  | { do: "type"; type: string }
  | { do: "init"; bytes: Uint8Array<ArrayBuffer>; done: () => void }
  | { do: "media"; chunk: Chunk; done: () => void };

/** From `position` on, wall time runs with it. */
interface Anchor {
  position: number;
  wallMs: number;
}

export class Feeder {
  #options: FeederOptions;
  #surface: MediaSurface;
  #edge = new FeedEdge();
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #url: string | null = null;
  #format: Format | null = null;
  /** What the buffer takes now. */
  #type: string | null = null;
  #jobs: Job[] = [];
  /** What the append in progress frees when it ends. */
  #appending: (() => void) | null = null;
  #timescales = new Map<number, number>();
  /** Added to the times of the stretch. */
  #offset = 0;
  #isNewStretch = true;
  /** End of what was appended, on the player's timeline. */
  #end = 0;
  /** How long a frame of what was appended last is, about. */
  #frameS = 0;
  /** What was appended last is a picture for want of a stream. */
  #isStandIn = false;
  /** Starts of the GOPs in the buffer. */
  #gops: number[] = [];
  #anchors: Anchor[] = [];
  #hasShown = false;
  /** When the first frame of this format was shown. */
  #begunAt: number | null = null;
  #isFrameAsked = false;
  #isHidden = false;
  /** A key frame waits to be shown: the newest. */
  #keyGoal: number | null = null;
  #played = 0;
  #lastPosition: number | null = null;
  #received = 0;
  #dropped = 0;
  #isWaitingForKey = true;
  #listeners = new AbortController();

  constructor(options: FeederOptions) {
    this.#options = options;
    this.#surface = options.surface ?? BROWSER_MEDIA;
    const { video } = options;
    const { signal } = this.#listeners;
    video.muted = video.muted || options.isLive;
    video.disableRemotePlayback = true;
    video.addEventListener("waiting", () => this.#stalled(), { signal });
    video.addEventListener("seeked", () => this.#seeked(), { signal });
    video.addEventListener("error", () => this.#fault("decode"), { signal });
    const source = this.#surface.createSource();
    this.#source = source;
    source.addEventListener("sourceopen", () => this.#pump(), { signal });
    this.#url = this.#surface.createUrl(source);
    video.src = this.#url;
  }

  /** What the next chunks are: from `init-follows`. */
  setFormat(format: Format): void {
    const type = `video/mp4; codecs="${format.codec}"`;
    if (!this.#surface.isTypeSupported(type)) return this.#fault("unsupported");
    this.#format = format;
    this.#begunAt = null;
    this.begin();
    this.#drop(this.#jobs.length);
    this.#isWaitingForKey = true;
    this.#isNewStretch = true;
    if (type !== this.#type) this.#jobs.push({ do: "type", type });
    if (format.isKeyOnly) this.#options.video.pause();
    this.#pump();
  }

  /** What comes now may be late, as after a gap: the edge is sought. */
  begin(): void {
    this.#edge.begin();
  }

  /** An init or media chunk. `done` is called once, when its bytes are not held any more. */
  push(chunk: Chunk, done: () => void): void {
    if (!this.#source || !this.#format || (chunk.kind !== "init" && chunk.kind !== "media")) return done();
    this.#received += chunk.bytes.length;
    if (chunk.kind === "init") {
      this.#jobs.push({ do: "init", bytes: chunk.bytes as Uint8Array<ArrayBuffer>, done });
      this.#isWaitingForKey = true;
    } else {
      // A decoder can only begin with a key frame.
      if (chunk.isDiscontinuity && !chunk.isKey) this.#isWaitingForKey = true;
      if (this.#isWaitingForKey && !chunk.isKey) {
        this.#dropped++;
        this.#isNewStretch = true;
        return done();
      }
      this.#isWaitingForKey = false;
      this.#jobs.push({ do: "media", chunk, done });
    }
    this.#pump();
  }

  /** To be called some times a second while the page is visible. */
  tick(): void {
    const { video } = this.#options;
    if (!this.#source) return;
    this.#count(video.currentTime);
    this.#evict(video.currentTime - BEHIND_S_MAX);
    this.#pump();
    this.#askFrame();
    if (this.#format?.isKeyOnly) return this.#showKey();
    if (this.#options.isLive) this.#govern();
    else this.#startPast();
  }

  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    // No tick comes while hidden: the edge must know that there was such a time.
    if (isHidden && this.#options.isLive && this.#source && !this.#format?.isKeyOnly) this.#govern();
  }

  /** Wall time of a position on the player's timeline, in milliseconds since 1970. */
  wallAt(position: number): number | null {
    const anchor = this.#anchors.findLast((anchor) => anchor.position <= position + INTO_FRAME_S) ?? this.#anchors[0];
    return anchor ? anchor.wallMs + (position - anchor.position) * 1000 : null;
  }

  /** What the picture is at while it moves: sound follows it. */
  get lead(): { wallMs: number; rate: number } | null {
    const { video } = this.#options;
    if (video.paused || video.seeking || video.readyState < 3 || this.#isHidden) return null;
    const wallMs = this.wallAt(video.currentTime);
    return wallMs === null ? null : { wallMs, rate: video.playbackRate };
  }

  get stats(): FeederStats {
    const { video } = this.#options;
    const position = video.currentTime;
    const around = this.#around(position);
    return {
      position,
      behindS: around ? position - around.from : 0,
      aheadS: around ? around.to - position : 0,
      queuedBytes: this.#jobs.reduce((sum, job) => sum + bytesOf(job), 0),
      droppedChunks: this.#dropped,
      rate: video.playbackRate,
      targetS: this.#edge.target,
      wallMs: this.#hasShown ? this.wallAt(position) : null,
    };
  }

  /** For the steps between tiers. */
  get playback(): PlaybackSample {
    const { video, now } = this.#options;
    const quality = video.getVideoPlaybackQuality();
    return {
      now: now(),
      droppedFrames: quality.droppedVideoFrames,
      totalFrames: quality.totalVideoFrames,
      playedS: this.#played,
      receivedBytes: this.#received,
      isHidden: this.#isHidden,
      begunAt: this.#begunAt,
    };
  }

  destroy(): void {
    if (!this.#source) return;
    const { video } = this.#options;
    this.#listeners.abort();
    this.#drop(this.#jobs.length);
    this.#appending?.();
    this.#appending = null;
    this.#source = null;
    this.#buffer = null;
    video.pause();
    video.removeAttribute("src");
    // Frees the decoder; without it the old one lives until the element is collected.
    video.load();
    if (this.#url !== null) this.#surface.revokeUrl(this.#url);
    this.#url = null;
  }

  #pump(): void {
    const source = this.#source;
    if (source?.readyState !== "open") return;
    while (this.#jobs.length > 0 && !this.#buffer?.updating) {
      const job = this.#jobs[0];
      if (!job) return;
      if (job.do === "media" && !this.#mayAppend()) return;
      this.#jobs.shift();
      try {
        this.#run(source, job);
      } catch (error) {
        if (isQuota(error) && job.do === "media" && this.#makeRoom()) {
          this.#jobs.unshift(job);
          return;
        }
        if (job.do !== "type") job.done();
        return this.#fault(error instanceof MalformedError ? "malformed" : "decode");
      }
    }
  }

  #run(source: MediaSource, job: Job): void {
    if (job.do === "type") {
      if (this.#buffer) this.#buffer.changeType(job.type);
      else this.#addBuffer(source, job.type);
      this.#type = job.type;
      return;
    }
    const buffer = this.#buffer;
    if (!buffer) throw new MalformedError();
    if (job.do === "init") {
      this.#timescales = timescalesOf(job.bytes);
      if (this.#timescales.size === 0) throw new MalformedError();
      this.#isNewStretch = true;
      buffer.appendBuffer(job.bytes);
      this.#appending = job.done;
      return;
    }
    const { chunk } = job;
    const decodeTime = decodeTimeOf(chunk.bytes);
    const timescale = decodeTime && this.#timescales.get(decodeTime.track);
    if (!decodeTime || !timescale) throw new MalformedError();
    const own = decodeTime.time / timescale;
    // Further from its place than a frame, a source buffer drops all up to the next key frame: the length of a
    // frame that came alone is only known with the next one.
    const isAway = Math.abs(own + this.#offset - this.#end) > this.#frameS && !this.#format?.isKeyOnly;
    if (this.#isNewStretch || chunk.isDiscontinuity || isAway) {
      this.#offset = this.#end - own;
      buffer.timestampOffset = this.#offset;
    }
    const start = own + this.#offset;
    let durationS = chunk.durationUs / 1e6;
    let bytes = chunk.bytes as Uint8Array<ArrayBuffer>;
    // Chromium takes the length of such a frame for that of all, and drops those that follow as late for as long.
    this.#isStandIn = (this.#isNewStretch || chunk.isDiscontinuity) && decodeTime.frames === 1 && durationS > STAND_IN_S && !this.#format?.isKeyOnly;
    if (this.#isStandIn) {
      durationS = STAND_IN_TOLD_S;
      bytes = lasting(bytes, Math.round(durationS * timescale)) as Uint8Array<ArrayBuffer>;
    }
    buffer.appendBuffer(bytes);
    this.#appending = job.done;
    // Only what was taken counts: a full buffer throws above.
    this.#anchor(start, chunk.wallUs / 1000);
    this.#isNewStretch = false;
    this.#end = Math.max(this.#end, start + durationS);
    this.#frameS = durationS / Math.max(1, decodeTime.frames ?? 1);
    if (chunk.isKey) {
      this.#gops.push(start);
      if (this.#format?.isKeyOnly) this.#keyGoal = start + Math.min(INTO_FRAME_S, chunk.durationUs / 2e6);
    }
  }

  #addBuffer(source: MediaSource, type: string): void {
    const buffer = source.addSourceBuffer(type);
    this.#buffer = buffer;
    const { signal } = this.#listeners;
    buffer.addEventListener("updateend", () => this.#updated(), { signal });
    buffer.addEventListener("error", () => this.#fault("decode"), { signal });
  }

  #updated(): void {
    const done = this.#appending;
    this.#appending = null;
    done?.();
    if (this.#format?.isKeyOnly) this.#showKey();
    this.#pump();
  }

  /** Live, what would lie too far ahead is dropped up to the newest key frame; of the past, it waits. */
  #mayAppend(): boolean {
    const { video, isLive } = this.#options;
    // Before the first frame the position is not yet where the media is.
    const from = this.#lastPosition === null && !this.#hasShown ? (this.#gops[0] ?? this.#end) : video.currentTime;
    if (this.#end - from < AHEAD_S_MAX || this.#format?.isKeyOnly) return true;
    if (!isLive) return false;
    const key = this.#jobs.findLastIndex((job) => job.do === "media" && job.chunk.isKey);
    if (key > 0 && !this.#jobs.slice(0, key).some((job) => job.do !== "media")) {
      this.#drop(key);
      this.#isNewStretch = true;
    }
    return false;
  }

  /** Lets go of the oldest jobs. */
  #drop(count: number): void {
    for (const job of this.#jobs.splice(0, count)) {
      if (job.do === "type") continue;
      if (job.do === "media") this.#dropped++;
      job.done();
    }
  }

  /** Removes the GOPs that begin before a position, but not the one being played. */
  #evict(before: number): boolean {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating) return false;
    const { currentTime } = this.#options.video;
    const played = this.#gops.findLastIndex((start) => start <= currentTime);
    const recent = this.#gops.findIndex((start) => start >= before);
    const kept = recent === -1 ? played : Math.min(played, recent);
    const start = this.#gops[kept];
    if (kept <= 0 || start === undefined) return false;
    this.#gops.splice(0, kept);
    this.#trimAnchors(start);
    buffer.remove(0, start);
    return true;
  }

  /** The buffer is full: less is kept behind, or what is ahead is given up. */
  #makeRoom(): boolean {
    return this.#evict(this.#options.video.currentTime);
  }

  #anchor(position: number, wallMs: number): void {
    const last = this.#anchors.at(-1);
    const expected = last ? last.wallMs + (position - last.position) * 1000 : null;
    // One for each stretch; within one, only where the clock has moved.
    if (expected !== null && Math.abs(expected - wallMs) < 5) return;
    this.#anchors.push({ position, wallMs });
    if (this.#anchors.length > ANCHORS_MAX) this.#anchors.shift();
  }

  #trimAnchors(before: number): void {
    const first = this.#anchors.findLastIndex((anchor) => anchor.position <= before);
    if (first > 0) this.#anchors.splice(0, first);
  }

  #govern(): void {
    const { video, now } = this.#options;
    const newest = this.#newest();
    const decision = this.#edge.decide({
      now: now(),
      position: video.currentTime,
      edge: this.#around(video.currentTime)?.to ?? null,
      seekable: newest,
      hasShown: this.#hasShown,
      isHidden: this.#isHidden,
      isEmpty: newest === null,
      isPlaying: !video.paused && !video.seeking,
    });
    this.#follow(decision);
    if (newest && video.paused && !this.#isHidden) this.#play();
  }

  #follow({ rate, seekTo }: Decision): void {
    const { video } = this.#options;
    // Setting it makes some browsers rebuffer.
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (seekTo !== null) this.#seek(seekTo);
  }

  #startPast(): void {
    const { video } = this.#options;
    const first = this.#gops[0];
    if (first === undefined || this.#isHidden) return;
    if (!this.#around(video.currentTime) && !this.#hasShown && video.currentTime < first) this.#seek(first);
    if (video.paused && !this.#hasShown) this.#play();
  }

  #play(): void {
    this.#options.video.play().catch((error: unknown) => {
      // A pause or another source in between is no fault.
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#fault("blocked");
    });
  }

  #showKey(): void {
    const { video } = this.#options;
    const goal = this.#keyGoal;
    // One seek at a time: a new one would throw the picture of the last away.
    if (goal === null || video.seeking || this.#isHidden || !this.#around(goal)) return;
    this.#keyGoal = null;
    this.#seek(goal);
  }

  #seek(to: number): void {
    this.#hasShown = false;
    this.#lastPosition = to;
    this.#options.video.currentTime = to;
    this.#askFrame(true);
  }

  #seeked(): void {
    if (this.#format?.isKeyOnly) {
      this.#shown(this.#options.video.currentTime, this.#options.now());
      this.#showKey();
    }
  }

  #stalled(): void {
    if (this.#isStandIn) return;
    if (this.#hasShown && !this.#isHidden && !this.#options.video.seeking) this.#edge.stalled(this.#options.now());
  }

  /** One frame a tick is enough to know that pictures come. */
  #askFrame(isAnew = false): void {
    const { video } = this.#options;
    // Of a key frame the end of its seek tells.
    if (this.#format?.isKeyOnly || (this.#isFrameAsked && !isAnew)) return;
    if (!("requestVideoFrameCallback" in video)) return this.#guessFrame();
    this.#isFrameAsked = true;
    video.requestVideoFrameCallback((_, { mediaTime, expectedDisplayTime }) => {
      this.#isFrameAsked = false;
      // A frame from before a seek says nothing about it.
      if (!this.#source || video.seeking) return;
      this.#shown(mediaTime, expectedDisplayTime);
    });
  }

  /** Where the browser does not tell of frames, a position that moves must do. */
  #guessFrame(): void {
    const { video, now } = this.#options;
    if (!video.paused && !video.seeking && video.readyState >= 2) this.#shown(video.currentTime, now());
  }

  #shown(position: number, shownAt: number): void {
    this.#hasShown = true;
    this.#begunAt ??= this.#options.now();
    const wallMs = this.wallAt(position);
    if (wallMs !== null) this.#options.onFrame?.({ wallMs, shownAt });
  }

  #count(position: number): void {
    const last = this.#lastPosition;
    if (last !== null && position > last && !this.#options.video.seeking) this.#played += position - last;
    if (last !== null || this.#hasShown) this.#lastPosition = position;
  }

  #around(position: number): { from: number; to: number } | null {
    const ranges = this.#buffer?.buffered;
    for (let n = 0; ranges && n < ranges.length; n++) {
      const [from, to] = [ranges.start(n), ranges.end(n)];
      // A player that ran dry stands at the end, or a little after it.
      if (position >= from - INTO_FRAME_S && position <= to + DRY_S) return { from, to };
    }
    return null;
  }

  #newest(): { from: number; to: number } | null {
    const ranges = this.#buffer?.buffered;
    if (!ranges || ranges.length === 0) return null;
    return { from: ranges.start(ranges.length - 1), to: ranges.end(ranges.length - 1) };
  }

  #fault(fault: FeederFault): void {
    this.#options.onFault?.(fault);
  }
}

class MalformedError extends Error {}

function isQuota(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}

function bytesOf(job: Job): number {
  if (job.do === "media") return job.chunk.bytes.length;
  return job.do === "init" ? job.bytes.length : 0;
}
