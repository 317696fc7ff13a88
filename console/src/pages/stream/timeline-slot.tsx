import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import { TimelinePanel } from "./timeline-panel.tsx";

export interface TimelineProps {
  api: Api;
  stream: string;
  /** Wall time of the picture on the screen, and whether playback is live. */
  playhead: { wallMs: number | null; isLive: boolean };
  /** The stream's tag `streamkeep:timezone`. */
  siteZone?: string | undefined;
  /** Goes to an instant, epoch milliseconds; null is live. */
  onSeek: (wallMs: number | null) => void;
}

/** The timeline under the picture. The playhead moves without drawing the rest anew. */
export function TimelineSlot({ api, stream, playhead, siteZone, onSeek }: TimelineProps) {
  const at = useSignal(playhead.wallMs);
  const isLive = useSignal(playhead.isLive);
  useEffect(() => {
    at.value = playhead.wallMs;
    isLive.value = playhead.isLive;
  }, [playhead.wallMs, playhead.isLive]);
  return (
    <div class="timeline-slot" data-playhead={playhead.wallMs ?? ""}>
      <TimelinePanel api={api} stream={stream} playhead={at} isLive={isLive} siteZone={siteZone}
        onSeek={onSeek} onLive={() => onSeek(null)} />
    </div>
  );
}
