import { useRef } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import type { StreamHealth } from "../../api/types.ts";
import { useStill } from "./still.ts";

const WIDTH_PIXELS = 320;

/** The newest stored picture, until the player has one: it lies under the video, and the badge says "opening". */
export function FirstPicture({ api, stream, health }: { api: Api; stream: string; health: StreamHealth | undefined }) {
  // Newer ones do not matter: the player has its own by then.
  const first = useRef<number | undefined>(undefined);
  first.current ??= health?.LastFragment?.ServerTimestamp;
  const url = useStill(api, stream, first.current, WIDTH_PIXELS);
  return url ? <img class="first-picture" src={url} alt="" /> : null;
}
