// What a person does, and what must be seen. A case has `name`, `run`, and `needs`: "nothing", "wall" (sixteen
// streams with cameras), or, where it says nothing, "camera" (the stream gate-3 with one). `run` gets page, site,
// server, watch, notes, camera.

import first from "./cases/first.mjs";
import h265 from "./cases/h265.mjs";
import health from "./cases/health.mjs";
import hostile from "./cases/hostile.mjs";
import idle from "./cases/idle.mjs";
import jobs from "./cases/jobs.mjs";
import list from "./cases/list.mjs";
import security from "./cases/security.mjs";
import signin from "./cases/signin.mjs";
import sleep from "./cases/sleep.mjs";
import sound from "./cases/sound.mjs";
import speed from "./cases/speed.mjs";
import states from "./cases/states.mjs";
import stream from "./cases/stream.mjs";
import timeline from "./cases/timeline.mjs";
import wall from "./cases/wall.mjs";

/** What needs the same stands together: cameras take seconds to start. */
export const CASES = [
  ...signin, ...first, ...list, ...stream, ...states, ...hostile, ...security, ...timeline, ...health, ...sound,
  ...wall, ...speed, ...jobs, ...sleep, ...idle, ...h265,
];
