// DASH by Shaka Player in its DASH-only build, loaded when somebody chooses it.

import type { Engine, EngineEvents } from "./engine.ts";

interface ShakaError {
  code: number;
  message: string;
  data?: unknown[];
}

interface ShakaPlayer {
  attach(video: HTMLVideoElement): Promise<void>;
  load(url: string): Promise<void>;
  configure(settings: object): void;
  addEventListener(name: string, listener: (event: { detail: ShakaError }) => void): void;
  isLive(): boolean;
  seekRange(): { start: number; end: number };
  getPlayheadTimeAsDate(): Date | null;
  getStats(): { streamBandwidth: number };
  destroy(): Promise<void>;
}

interface Shaka {
  polyfill: { installAll(): void };
  Player: new () => ShakaPlayer;
}

/** Behind the newest segment, in fragments: the manifest is asked for about once a second. */
const BEHIND_FRAGMENTS = 2;

export async function openDash(
  video: HTMLVideoElement, url: string, fragmentSeconds: number, events: EngineEvents,
): Promise<Engine> {
  const loaded = (await import("shaka-player/dist/shaka-player.dash.js")) as unknown as { default: Shaka };
  const shaka = loaded.default;
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  const fail = (error: ShakaError) =>
    events.failed(`Shaka ${error.code}`, error.message, Number(error.data?.[1]) || 0);
  player.addEventListener("error", ({ detail }) => fail(detail));
  await player.attach(video);
  player.configure({
    streaming: { rebufferingGoal: 0.5, bufferingGoal: 8, bufferBehind: 20 },
    manifest: {
      defaultPresentationDelay: BEHIND_FRAGMENTS * fragmentSeconds,
      dash: { ignoreSuggestedPresentationDelay: true },
    },
  });
  player.load(url).catch((error: ShakaError) => fail(error));
  return {
    wallOf: (mediaTime) => {
      const at = player.getPlayheadTimeAsDate();
      return at && player.isLive() ? at.getTime() + (mediaTime - video.currentTime) * 1000 : null;
    },
    find: () => null,
    liveEdge: () => (player.isLive() ? player.seekRange().end : null),
    transport: "DASH",
    bitsPerSecond: () => player.getStats().streamBandwidth || null,
    rest: (isResting) => { if (isResting) video.pause(); },
    destroy: () => void player.destroy(),
  };
}
