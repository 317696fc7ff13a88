// hls.js from its own sources, without what this console does not use: its light build leaves out
// alternate audio, which KVS sessions have, and its full build is half as big again.

import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import manifest from "./node_modules/hls.js/package.json" with { type: "json" };

const USED = ["ALT_AUDIO", "IFRAMES"];
const UNUSED = [
  "SUBTITLES", "EME_DRM", "CMCD", "CONTENT_STEERING", "VARIABLE_SUBSTITUTION",
  "M2TS_ADVANCED_CODECS", "MEDIA_CAPABILITIES", "INTERSTITIALS",
];
/** Modules behind a switch that is off. Named, because their classes are not free of side effects. */
const EMPTY =
  /\/(eme-controller|cmcd-controller|content-steering-controller|interstitials-controller|subtitle-stream-controller|subtitle-track-controller|timeline-controller|cues)$/;

const SOURCES = fileURLToPath(new URL("./node_modules/hls.js/src/", import.meta.url));
const NOTHING = "\0hls-nothing";
const EXPORTS =
  "export default undefined; export { undefined_ as TimelineController, undefined_ as SubtitleStreamController };" +
  "const undefined_ = undefined;";

export function hlsFromSource(): Plugin {
  return {
    name: "hls-from-source",
    enforce: "pre",
    config: () => ({
      define: Object.fromEntries([
        ...USED.map((name) => [`__USE_${name}__`, "true"]),
        ...UNUSED.map((name) => [`__USE_${name}__`, "false"]),
        ["__VERSION__", JSON.stringify(manifest.version)],
        ["__HLS_WORKER_BUNDLE__", "undefined"],
        ["__IN_WORKER__", "false"],
      ]),
    }),
    resolveId(id, importer) {
      if (id === "hls.js") return `${SOURCES}hls.ts`;
      if (importer?.startsWith(SOURCES) && EMPTY.test(id)) return NOTHING;
      return undefined;
    },
    load: (id) => (id === NOTHING ? EXPORTS : undefined),
  };
}
