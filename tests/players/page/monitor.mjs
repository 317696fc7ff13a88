// Watches a video element: time, stalls, frames, and the clock in the picture.

import * as stamp from "/stamp.mjs";

/** Seconds that the last picture is shown, and what sound may last beyond it. */
const LAST_PICTURE = 0.06;

export class Monitor {
  constructor(video) {
    this.video = video;
    this.errors = [];
    this.notes = [];
    this.pressedAt = Date.now();
    this.firstPictureMs = null;
    this.waitingCount = 0;
    this.seekCount = 0;
    this.isPlaying = false;
    /**
     * The last picture is on the screen. What comes after is not looked at: dash.js now and then
     * takes the last milliseconds, where sound goes on after the pictures, for a stall, and seeks.
     */
    this.isFinished = false;
    /** Longest time in which currentTime stood still, once it ran. */
    this.stillMsMax = 0;
    this.pictures = [];
    this.unreadable = 0;
    this.canvas = document.createElement("canvas");
    this.canvas.width = stamp.WIDTH;
    this.canvas.height = stamp.HEIGHT;
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.#listen();
    this.#watchTime();
    video.requestVideoFrameCallback((...args) => this.#frame(...args));
  }

  error(text) {
    if (this.errors.length < 50) this.errors.push(`${text} (at ${this.#at()})`);
  }

  note(text) {
    if (this.notes.length < 50) this.notes.push(`${text} (at ${this.#at()})`);
  }

  #at() {
    const after = ((Date.now() - this.pressedAt) / 1000).toFixed(2);
    return `${this.video.currentTime.toFixed(3)} s, ${after} s after play`;
  }

  #listen() {
    const { video } = this;
    video.addEventListener("error", () => this.error(`video: ${video.error?.message}`));
    video.addEventListener("playing", () => (this.isPlaying = true));
    video.addEventListener("waiting", () => {
      if (!this.isPlaying || this.isFinished || video.ended || video.seeking) return;
      this.waitingCount += 1;
      this.note("waiting");
    });
    video.addEventListener("seeking", () => {
      if (this.isPlaying && !this.isFinished) this.seekCount += 1;
      this.note("seeking");
    });
  }

  #watchTime() {
    let last = { at: performance.now(), time: this.video.currentTime };
    setInterval(() => {
      const now = performance.now();
      const { currentTime, duration, ended } = this.video;
      if (ended || (this.isPlaying && currentTime >= duration - LAST_PICTURE)) this.isFinished = true;
      if (currentTime !== last.time || !this.firstPictureMs) last = { at: now, time: currentTime };
      if (this.isPlaying && !this.isFinished) this.stillMsMax = Math.max(this.stillMsMax, now - last.at);
    }, 50);
  }

  #frame(_now, metadata) {
    if (this.isFinished) return;
    this.video.requestVideoFrameCallback((...args) => this.#frame(...args));
    const { WIDTH, HEIGHT } = stamp;
    this.context.drawImage(this.video, 0, 0, WIDTH, HEIGHT, 0, 0, WIDTH, HEIGHT);
    const ms = stamp.read(this.context.getImageData(0, 0, WIDTH, HEIGHT).data);
    if (ms === null) {
      this.unreadable += 1;
      return;
    }
    this.firstPictureMs ??= Date.now() - this.pressedAt;
    const shownAt = performance.timeOrigin + metadata.expectedDisplayTime;
    const delay = (((shownAt - ms) % 2 ** 32) + 2 ** 32) % 2 ** 32;
    this.pictures.push({ ms, mediaTime: metadata.mediaTime, delay, at: Date.now() });
  }

  /** What was seen; delays of the pictures since `since` only. */
  report(since = 0) {
    const { video, pictures } = this;
    const quality = video.getVideoPlaybackQuality();
    const delays = pictures.filter((p) => p.at >= since).map((p) => p.delay).sort((a, b) => a - b);
    const backwards = pictures.filter((p, i) => i > 0 && p.ms < pictures[i - 1].ms).length;
    const offsets = {};
    for (const { ms, mediaTime } of pictures) {
      const offset = Math.round((ms - mediaTime * 1000) / 10) * 10;
      offsets[offset] = (offsets[offset] ?? 0) + 1;
    }
    const ranges = [];
    for (let i = 0; i < video.buffered.length; i++) {
      ranges.push([video.buffered.start(i), video.buffered.end(i)]);
    }
    return {
      errors: this.errors,
      notes: this.notes,
      waiting: this.waitingCount,
      seeks: this.seekCount,
      stillMsMax: Math.round(this.stillMsMax),
      firstPictureMs: this.firstPictureMs,
      isPlaying: this.isPlaying,
      currentTime: video.currentTime,
      duration: video.duration,
      finished: this.isFinished,
      buffered: ranges,
      decoded: quality.totalVideoFrames,
      dropped: quality.droppedVideoFrames,
      hasSound: (video.webkitAudioDecodedByteCount ?? 0) > 0,
      unreadable: this.unreadable,
      seen: new Set(pictures.map((p) => p.ms)).size,
      first: pictures[0],
      last: pictures.at(-1),
      backwards,
      offsets,
      delayMedian: delays[delays.length >> 1],
      delayP95: delays[Math.floor(delays.length * 0.95)],
      delayCount: delays.length,
    };
  }
}
