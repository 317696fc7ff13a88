/**
 * Plays the sound of one tile beside its picture: by an element and a source of its own, so that sound that is late
 * or missing never holds the picture. The picture leads: sound follows to the same wall time.
 */

import { decodeTimeOf, timescalesOf } from "./boxes.ts";
import { BROWSER_MEDIA, type MediaSurface } from "./feeder.ts";
import type { Chunk } from "./protocol.ts";

export type SoundFault =
  /** The browser cannot decode it. */
  | "unsupported"
  | "malformed"
  | "decode"
  /** The browser waits for a press before it plays. */
  | "blocked";

/** What the picture is at now. */
export interface Lead {
  /** Milliseconds since 1970, by the producer. */
  wallMs: number;
  rate: number;
}

export interface SoundOptions {
  audio: HTMLAudioElement;
  /** Null while no picture moves. */
  lead: () => Lead | null;
  onFault: (fault: SoundFault) => void;
  surface?: MediaSurface;
}

/** Further off than this, sound is sought to its place; closer, its rate does it. */
export const SEEK_S = 0.25;
/** Nobody hears or sees so little. */
const NEAR_S = 0.03;
const RATE_OFF = 0.05;
const BEHIND_S = 10;
const ANCHORS_MAX = 600;

type Job = { chunk: Chunk; done: () => void };

export class SoundPlayer {
  #options: SoundOptions;
  #surface: MediaSurface;
  #source: MediaSource | null;
  #buffer: SourceBuffer | null = null;
  #url: string;
  #type: string | null = null;
  #wantedType: string | null = null;
  #jobs: Job[] = [];
  #appending: (() => void) | null = null;
  #timescale = 0;
  #offset = 0;
  #isNewStretch = true;
  /** Of what was appended, seconds. */
  #end = 0;
  /** From `position` on, wall time runs with it. */
  #anchors: { position: number; wallMs: number }[] = [];
  #listeners = new AbortController();

  constructor(options: SoundOptions) {
    this.#options = options;
    this.#surface = options.surface ?? BROWSER_MEDIA;
    const { audio, onFault } = options;
    const { signal } = this.#listeners;
    audio.disableRemotePlayback = true;
    audio.addEventListener("error", () => onFault("decode"), { signal });
    this.#source = this.#surface.createSource();
    this.#source.addEventListener("sourceopen", () => this.#pump(), { signal });
    this.#url = this.#surface.createUrl(this.#source);
    audio.src = this.#url;
  }

  /** Heard now. */
  get isPlaying(): boolean {
    return !this.#options.audio.paused;
  }

  /** How far the sound is behind the picture, seconds; null while either stands. */
  get offS(): number | null {
    const lead = this.#options.lead();
    const goal = lead && this.#positionOf(lead.wallMs);
    return goal === null || !this.isPlaying ? null : goal - this.#options.audio.currentTime;
  }

  /** An init segment of this codec follows. */
  setFormat(codec: string): void {
    const type = `audio/mp4; codecs="${codec}"`;
    if (!this.#surface.isTypeSupported(type)) return this.#options.onFault("unsupported");
    this.#wantedType = type;
  }

  /** `done` is called once, when the bytes are not held any more. */
  push(chunk: Chunk, done: () => void): void {
    if (!this.#source || !this.#wantedType) return done();
    this.#jobs.push({ chunk, done });
    this.#pump();
  }

  /** To be called some times a second. */
  tick(): void {
    const { audio } = this.#options;
    if (!this.#source) return;
    this.#evict();
    this.#pump();
    const lead = this.#options.lead();
    const goal = lead && this.#positionOf(lead.wallMs);
    if (lead === null || goal === null || goal >= this.#end) {
      // The picture stands, or is where no sound is.
      if (!audio.paused) audio.pause();
      return;
    }
    const behind = goal - audio.currentTime;
    if (Math.abs(behind) > SEEK_S || audio.paused) audio.currentTime = goal;
    const off = Math.abs(behind) <= NEAR_S || Math.abs(behind) > SEEK_S ? 0 : Math.max(-RATE_OFF, Math.min(RATE_OFF, behind));
    audio.playbackRate = lead.rate * (1 + off);
    if (audio.paused) {
      audio.play().catch((error: unknown) => {
        if (error instanceof DOMException && error.name === "NotAllowedError") this.#options.onFault("blocked");
      });
    }
  }

  destroy(): void {
    if (!this.#source) return;
    const { audio } = this.#options;
    this.#listeners.abort();
    this.#source = null;
    this.#buffer = null;
    for (const { done } of this.#jobs.splice(0)) done();
    this.#appending?.();
    this.#appending = null;
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
    this.#surface.revokeUrl(this.#url);
  }

  #pump(): void {
    const source = this.#source;
    if (source?.readyState !== "open") return;
    while (this.#jobs.length > 0 && !this.#buffer?.updating) {
      const job = this.#jobs.shift();
      if (!job) return;
      try {
        this.#append(source, job);
      } catch {
        job.done();
        return this.#options.onFault("malformed");
      }
    }
  }

  #append(source: MediaSource, { chunk, done }: Job): void {
    if (this.#wantedType !== this.#type) {
      const type = this.#wantedType ?? "";
      if (this.#buffer) this.#buffer.changeType(type);
      else this.#addBuffer(source, type);
      this.#type = type;
    }
    const buffer = this.#buffer;
    if (!buffer) return done();
    const bytes = chunk.bytes as Uint8Array<ArrayBuffer>;
    if (chunk.kind === "sound-init") {
      const [timescale] = timescalesOf(bytes).values();
      if (!timescale) throw new Error("no track");
      this.#timescale = timescale;
      this.#isNewStretch = true;
    } else {
      const decodeTime = decodeTimeOf(bytes);
      if (!decodeTime || !this.#timescale) throw new Error("no fragment");
      const own = decodeTime.time / this.#timescale;
      // Stretches lie one behind the other, as with pictures.
      if (this.#isNewStretch) {
        this.#offset = this.#end - own;
        buffer.timestampOffset = this.#offset;
        this.#isNewStretch = false;
      }
      const position = own + this.#offset;
      this.#anchors.push({ position, wallMs: chunk.wallUs / 1000 });
      if (this.#anchors.length > ANCHORS_MAX) this.#anchors.shift();
      this.#end = position + chunk.durationUs / 1e6;
    }
    buffer.appendBuffer(bytes);
    this.#appending = done;
  }

  #addBuffer(source: MediaSource, type: string): void {
    const buffer = source.addSourceBuffer(type);
    const { signal } = this.#listeners;
    buffer.addEventListener("updateend", () => {
      const done = this.#appending;
      this.#appending = null;
      done?.();
      this.#pump();
    }, { signal });
    this.#buffer = buffer;
  }

  #evict(): void {
    const before = this.#options.audio.currentTime - BEHIND_S;
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || before <= 0) return;
    if (buffer.buffered.length === 0 || buffer.buffered.start(0) > before - BEHIND_S) return;
    buffer.remove(0, before);
  }

  /** Where the sound of a wall time lies; null when it is older than all that is known. */
  #positionOf(wallMs: number): number | null {
    const anchor = this.#anchors.findLast((anchor) => anchor.wallMs <= wallMs);
    return anchor ? anchor.position + (wallMs - anchor.wallMs) / 1000 : null;
  }
}
