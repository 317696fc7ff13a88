import { useEffect, useState } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import { imageBlob } from "../../api/operations.ts";
import type { StreamHealth } from "../../api/types.ts";

const WIDTH_PIXELS = 320;

/** The newest stored picture, until the player has one: it lies under the video, and the badge says "opening". */
export function FirstPicture({ api, stream, health }: { api: Api; stream: string; health: StreamHealth | undefined }) {
  const [url, setUrl] = useState<string>();
  const at = health?.LastFragment?.ServerTimestamp;
  const isKnown = at !== undefined;
  useEffect(() => {
    if (at === undefined) return;
    const controller = new AbortController();
    let made: string | undefined;
    api.getThumbnails({ StreamName: stream, Timestamps: [at], WidthPixels: WIDTH_PIXELS }, controller.signal)
      .then(([found]) => {
        if (!found?.ImageContent || controller.signal.aborted) return;
        made = URL.createObjectURL(imageBlob(found.ImageContent));
        setUrl(made);
      })
      .catch(() => {});
    return () => {
      controller.abort();
      if (made) URL.revokeObjectURL(made);
    };
    // Newer ones do not matter: the player has its own by then.
  }, [isKnown, stream]);
  return url ? <img class="first-picture" src={url} alt="" /> : null;
}
