// What plays: one engine per way of transport.

export interface Facts {
  /** "LL-HLS", "HLS", "DASH". */
  transport: string;
  width: number;
  height: number;
  /** Seconds of media ahead of the playhead. */
  ahead: number;
  decoded: number;
  dropped: number;
  rate: number;
  /** As the manifest says. */
  bitsPerSecond: number | null;
}

export interface Engine {
  /** Wall time of a media time, epoch milliseconds; null when it is not known. */
  wallOf(mediaTime: number): number | null;
  /** The media time to seek to for a wall time, and the wall time that is there: later in a gap. */
  find(wallMs: number): { mediaTime: number; wallMs: number } | null;
  /** Where live playback should be; null when it is no live one. */
  liveEdge(): number | null;
  transport: string;
  bitsPerSecond(): number | null;
  /** Stops loading, or goes on. */
  rest(isResting: boolean): void;
  destroy(): void;
}

export interface EngineEvents {
  /** Playback cannot go on. `status` is that of the HTTP answer, when it was one. */
  failed(name: string, message: string, status: number): void;
}

export function factsOf(video: HTMLVideoElement, engine: Engine): Facts {
  const quality = video.getVideoPlaybackQuality?.();
  return {
    transport: engine.transport,
    width: video.videoWidth,
    height: video.videoHeight,
    ahead: aheadOf(video),
    decoded: quality?.totalVideoFrames ?? 0,
    dropped: quality?.droppedVideoFrames ?? 0,
    rate: video.playbackRate,
    bitsPerSecond: engine.bitsPerSecond(),
  };
}

/** Seconds of media from a media time on without a break. */
export function aheadOf(video: Pick<HTMLVideoElement, "buffered" | "currentTime">, from = video.currentTime): number {
  const { buffered } = video;
  for (let n = 0; n < buffered.length; n++) {
    if (buffered.start(n) <= from + 0.1 && from < buffered.end(n)) return buffered.end(n) - from;
  }
  return 0;
}
