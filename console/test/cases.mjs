// What a person does, and what must be seen. A case has `name`, `run`, and `needs`: "nothing", or, when it says
// nothing, "camera", which is the stream gate-3 with one. `run` gets page, site, server, watch, notes, camera.

import first from "./cases/first.mjs";
import list from "./cases/list.mjs";
import signin from "./cases/signin.mjs";
import states from "./cases/states.mjs";
import stream from "./cases/stream.mjs";
import timeline from "./cases/timeline.mjs";

export const CASES = [...signin, ...first, ...list, ...stream, ...states, ...timeline];
