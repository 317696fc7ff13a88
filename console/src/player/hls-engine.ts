// HLS by hls.js, or by the browser where it has no Media Source.

import type Hls from "hls.js";
import type { HlsConfig } from "hls.js";
import type { Engine, EngineEvents } from "./engine.ts";
import { type Segment, find, place, wallOf } from "./wall-map.ts";

/** Without parts, a fragment is awaited whole: so far behind the end of the list. */
const BEHIND_FRAGMENTS = 1.5;

export type HlsKind = "low-latency" | "live" | "recording";

/** The defaults are for films: they keep what was played for ever and never catch up. */
function config(kind: HlsKind, fragmentSeconds: number): Partial<HlsConfig> {
  const common: Partial<HlsConfig> = {
    // Fragmented MP4 needs no transmuxer, and the policy of the page allows no worker from a blob.
    enableWorker: false,
    testBandwidth: false,
    capLevelToPlayerSize: true,
    preferManagedMediaSource: true,
  };
  if (kind === "recording") return { ...common, backBufferLength: 60, maxBufferLength: 30 };
  const live: Partial<HlsConfig> = {
    ...common,
    maxLiveSyncPlaybackRate: 1, // the governor of this player keeps the edge
    liveDurationInfinity: true,
    backBufferLength: 10,
    maxBufferLength: 6,
    maxMaxBufferLength: 12,
    maxBufferSize: 8e6,
    startFragPrefetch: true,
  };
  // With parts no liveSync option may be set: each throws PART-HOLD-BACK away.
  if (kind === "low-latency") return { ...live, lowLatencyMode: true, liveSyncOnStallIncrease: 0.2 };
  return {
    ...live,
    lowLatencyMode: false,
    liveSyncDuration: BEHIND_FRAGMENTS * fragmentSeconds,
    liveMaxLatencyDuration: 4 * fragmentSeconds,
  };
}

export async function openHls(
  video: HTMLVideoElement, url: string, kind: HlsKind, fragmentSeconds: number, events: EngineEvents,
): Promise<Engine> {
  const { default: Player } = await import("hls.js");
  if (!Player.isSupported()) return openNative(video, url, kind, events);
  const hls = new Player(config(kind, fragmentSeconds));
  // For lists that have no parts after all, as with sound that the server encodes by the fragment.
  if (kind === "low-latency") hls.config.liveSyncDuration = BEHIND_FRAGMENTS * fragmentSeconds;
  let recoveries = 0;
  hls.on(Player.Events.ERROR, (_event, data) => {
    if (!data.fatal) return;
    if (data.type === Player.ErrorTypes.MEDIA_ERROR && recoveries++ < 2) {
      hls.recoverMediaError();
      return;
    }
    events.failed(data.details, data.error?.message ?? data.reason ?? "", data.response?.code ?? 0);
  });
  // Where pictures really lie in media time. What the list says of it is an estimate, off by up to a
  // second until whole fragments were loaded, and with parts none is.
  const buffered: Segment[] = [];
  hls.on(Player.Events.FRAG_BUFFERED, (_event, { frag, part }) => {
    if (frag.type !== "main" || frag.programDateTime === null) return;
    const { video: pictures, audiovideo, audio } = (part ?? frag).elementaryStreams;
    const found = pictures ?? audiovideo ?? audio;
    if (!found) return;
    place(buffered, {
      start: found.startPTS,
      duration: found.endPTS - found.startPTS,
      programDateTime: frag.programDateTime + (part ? part.fragOffset * 1000 : 0),
    });
  });
  const wall = (mediaTime: number) => wallOf(buffered, mediaTime) ?? wallOf(segmentsOf(hls), mediaTime);
  const edge = () => {
    const listed = hls.liveSyncPosition;
    const last = segmentsOf(hls).findLast((segment) => segment.programDateTime !== null);
    const anchor = buffered.at(-1);
    if (listed === null || !last || !anchor) return listed;
    const really = anchor.start + ((last.programDateTime ?? 0) - (anchor.programDateTime ?? 0)) / 1000;
    // A large difference is no error of the list but a jump of the clock that times come from.
    return Math.abs(last.start - really) < 3 ? listed - (last.start - really) : listed;
  };
  video.disableRemotePlayback = true; // or an iPhone gives no ManagedMediaSource
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    wallOf: wall,
    find: (wallMs) => find(segmentsOf(hls), wallMs),
    liveEdge: () => (kind === "recording" ? null : edge()),
    get transport() { return hls.latestLevelDetails?.partTarget ? "LL-HLS" : "HLS"; },
    bitsPerSecond: () => hls.levels[hls.currentLevel]?.bitrate ?? null,
    rest: (isResting) => (isResting ? hls.stopLoad() : hls.startLoad(-1)),
    destroy: () => {
      hls.destroy();
      video.removeAttribute("src");
      video.load();
    },
  };
}

/** All that is listed, with the fragment whose parts are still coming. */
function segmentsOf(hls: Hls): Segment[] {
  const details = hls.latestLevelDetails ?? hls.levels[Math.max(0, hls.currentLevel)]?.details;
  if (!details) return [];
  const listed: Segment[] = details.fragments.filter(Boolean);
  return details.fragmentHint ? [...listed, details.fragmentHint] : listed;
}

type DatedVideo = HTMLVideoElement & { getStartDate?: () => Date };

function openNative(video: DatedVideo, url: string, kind: HlsKind, events: EngineEvents): Engine {
  const onError = () => events.failed("MediaError", video.error?.message ?? "", 0);
  video.addEventListener("error", onError);
  video.src = url;
  const start = () => {
    const ms = video.getStartDate?.().getTime() ?? NaN;
    return Number.isFinite(ms) ? ms : null;
  };
  return {
    wallOf: (mediaTime) => {
      const from = start();
      return from === null ? null : from + mediaTime * 1000;
    },
    find: (wallMs) => {
      const from = start();
      return from === null ? null : { mediaTime: (wallMs - from) / 1000, wallMs };
    },
    // The browser keeps the edge itself.
    liveEdge: () => null,
    transport: kind === "low-latency" ? "LL-HLS" : "HLS",
    bitsPerSecond: () => null,
    rest: (isResting) => { if (isResting) video.pause(); },
    destroy: () => {
      video.removeEventListener("error", onError);
      video.removeAttribute("src");
      video.load();
    },
  };
}
