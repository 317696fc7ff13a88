// What is played, and what must be seen.

import { FRAGMENT_SECONDS, FRAME_RATE } from "./camera.mjs";
import { dashUrl, hlsUrl } from "./session.mjs";

const PLAYERS = ["hls", "shaka", "dash"];
const KINDS = [
  { name: "without B-frames", bFrames: false },
  { name: "with B-frames", bFrames: true },
];

/** Fails with every reason, not only the first. */
class Expectations {
  constructor(context) {
    this.broken = [];
    this.late = [];
    this.judgesTimes = context.judgesTimes;
  }

  /** Of a time that a busy machine can miss. */
  inTime(holds, text) {
    if (!holds) (this.judgesTimes ? this.broken : this.late).push(text);
  }

  that(holds, text) {
    if (!holds) this.broken.push(text);
  }
}

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;

/** Rules of every case: nothing went wrong, pictures came in order, all squares could be read. */
function expectSmooth(expect, report, { stillMsMax = 400 } = {}) {
  expect.that(report.errors.length === 0, `errors: ${report.errors.join("; ")}`);
  expect.that(report.firstPictureMs !== null, "no picture");
  expect.that(report.waiting === 0, `waited ${report.waiting} times`);
  expect.that(report.stillMsMax <= stillMsMax, `stood still for ${report.stillMsMax} ms`);
  expect.that(report.backwards === 0, `${report.backwards} pictures out of order`);
  expect.that(report.unreadable === 0, `${report.unreadable} pictures without a clock`);
}

function urlOf(player, server, stream, span, options) {
  return player === "dash" ? dashUrl(server, stream, span, options) : hlsUrl(server, stream, span, options);
}

function onDemand(player, kind, options = {}) {
  const form = options.ts ? "HLS TS" : player === "dash" ? "DASH" : "HLS fMP4";
  return {
    name: `${player}: on demand, ${form}, ${kind.name}`,
    async run(context) {
      const recording = context.recordings[kind.bFrames ? "bFrames" : "plain"];
      const { report } = await context.play({
        player,
        url: () => urlOf(player, context.server, recording.stream, recording, options),
        until: (report) => report.finished,
        patienceSeconds: recording.seconds * 2 + 15,
      });
      const expect = new Expectations(context);
      expectSmooth(expect, report);
      expect.that(report.finished, `did not end: at ${report.currentTime} of ${report.duration} s`);
      const frames = recording.seconds * FRAME_RATE;
      expect.that(report.decoded >= frames - 2, `${report.decoded} of ${frames} frames decoded`);
      expect.that(report.hasSound, "no sound was decoded");
      expect.that(report.seen >= frames * 0.5, `${report.seen} of ${frames} pictures seen`);
      expect.that(
        Math.abs(report.duration - recording.seconds) < 0.1,
        `${report.duration} s long instead of ${recording.seconds}`,
      );
      // One recording, one clock: the picture is the one that belongs to the time.
      const offsets = Object.keys(report.offsets);
      expect.that(offsets.length === 1, `picture and time apart: ${JSON.stringify(report.offsets)}`);
      return { expect, says: `${report.decoded} frames, first picture ${seconds(report.firstPictureMs)}` };
    },
  };
}

/** A camera that stopped for five seconds and came back: all of it plays, without the hole. */
function gap(player, discontinuity) {
  return {
    name: `${player}: on demand over a gap of 5 s${discontinuity ? `, ${discontinuity}` : ""}`,
    async run(context) {
      const recording = context.recordings.gap;
      const { report } = await context.play({
        player,
        url: () => urlOf(player, context.server, recording.stream, recording, { discontinuity }),
        until: (report) => report.finished,
        patienceSeconds: recording.seconds * 2 + 15,
      });
      const expect = new Expectations(context);
      expectSmooth(expect, report);
      expect.that(report.finished, `did not end: at ${report.currentTime} of ${report.duration} s`);
      const frames = recording.seconds * FRAME_RATE;
      expect.that(report.decoded >= frames - 2, `${report.decoded} of ${frames} frames decoded`);
      const offsets = Object.keys(report.offsets).map(Number);
      const jump = Math.max(...offsets) - Math.min(...offsets);
      expect.that(
        offsets.length <= 3 && Math.abs(jump - recording.gapMs) <= 60,
        `the clock in the picture jumps by ${jump} ms: ${JSON.stringify(report.offsets)}`,
      );
      return { expect, says: `${report.decoded} frames, clock jumps by ${seconds(jump)}` };
    },
  };
}

function live(player, kind, options = {}) {
  const form = options.ts ? "HLS TS" : options.lowLatency ? "LL-HLS" : player === "dash" ? "DASH" : "HLS fMP4";
  return {
    name: `${player}: live, ${form}, ${kind.name}`,
    async run(context) {
      const stream = await context.camera(kind.bFrames);
      const length = context.liveSeconds;
      const { report } = await context.play({
        player,
        live: true,
        lowLatency: Boolean(options.lowLatency),
        url: () => urlOf(player, context.server, stream, "live", options),
        until: (report) => report.firstPictureMs !== null && report.watchedMs >= length * 1000,
        patienceSeconds: length + 20,
      });
      const expect = new Expectations(context);
      expectSmooth(expect, report);
      const watched = report.watchedMs / 1000;
      expect.that(watched >= length, `watched ${watched.toFixed(1)} s`);
      const played = (report.last?.mediaTime ?? 0) - (report.first?.mediaTime ?? 0);
      expect.that(played >= watched * 0.93 - 0.5, `played ${played.toFixed(1)} s in ${watched.toFixed(1)} s`);
      const frames = watched * FRAME_RATE;
      expect.that(report.decoded >= frames * 0.9, `${report.decoded} frames decoded in ${watched.toFixed(1)} s`);
      expect.that(report.hasSound, "no sound was decoded");
      expect.that(report.seen >= frames * 0.4, `${report.seen} pictures seen in ${watched.toFixed(1)} s`);
      const says = `${report.decoded} frames, delay ${seconds(report.delayMedian)} median, ` +
        `${seconds(report.delayP95)} p95, first picture ${seconds(report.firstPictureMs)}`;
      if (options.delayMsMax) {
        expect.inTime(
          report.delayMedian <= options.delayMsMax,
          `delay ${seconds(report.delayMedian)}, at most ${seconds(options.delayMsMax)} wanted`,
        );
      }
      return { expect, says };
    },
  };
}

/** From the press of play, before the session is made, to a picture that can be read. */
function firstPicture(name, player, span, options = {}) {
  return {
    name: `${player}: first picture, ${name}`,
    async run(context) {
      const recording = context.recordings.plain;
      const isLive = span === "live";
      const stream = isLive ? await context.camera(false) : recording.stream;
      const times = [];
      for (let round = 0; round < context.rounds; round++) {
        const { report } = await context.play({
          player,
          live: isLive,
          lowLatency: Boolean(options.lowLatency),
          url: () => urlOf(player, context.server, stream, isLive ? "live" : recording, options),
          until: (report) => report.firstPictureMs !== null,
          patienceSeconds: 15,
        });
        times.push(report.firstPictureMs ?? Infinity);
      }
      times.sort((a, b) => a - b);
      const expect = new Expectations(context);
      const median = times[times.length >> 1];
      expect.inTime(median <= 500, `${median} ms until the first picture (${times.join(", ")})`);
      return { expect, says: `${median} ms (median of ${times.join(", ")})` };
    },
  };
}

/** A page that calls the service itself, from another origin. */
function sdk() {
  return {
    name: "hls: on demand, asked for by the AWS SDK in a page",
    async run(context) {
      const { recordings: { plain }, server: { credentials } } = context;
      const expect = new Expectations(context);
      const { report } = await context.play({
        player: "hls",
        url: () => context.sdk("sessionUrl", credentials, plain.stream),
        until: (report) => report.firstPictureMs !== null,
        patienceSeconds: 15,
      });
      expect.that(report.errors.length === 0, `errors: ${report.errors.join("; ")}`);
      expect.that(report.firstPictureMs !== null, "no picture");
      const bytes = await context.sdk("clipLength", credentials, plain.stream);
      expect.that(bytes > 100_000, `a clip of ${bytes} bytes`);
      const wrong = { ...credentials, secretAccessKey: "wrong" };
      for (const [who, stream, code, status] of [
        [credentials, "no-such-stream", "ResourceNotFoundException", 404],
        [wrong, plain.stream, "InvalidSignatureException", 403],
      ]) {
        const refusal = await context.sdk("refusal", who, stream);
        expect.that(
          refusal?.code === code && refusal.status === status && refusal.hasRequestId,
          `${code} was told as ${JSON.stringify(refusal)}`,
        );
      }
      return { expect, says: `clip of ${(bytes / 1e6).toFixed(1)} MB` };
    },
  };
}

const PLAIN_DELAY_MS_MAX = FRAGMENT_SECONDS * 1500 + 1000;

/** Left out of the short form. */
const long = (one) => ({ ...one, isLong: true });

export const CASES = [
  ...PLAYERS.flatMap((player) => KINDS.map((kind) => onDemand(player, kind))),
  onDemand("hls", KINDS[0], { ts: true }),
  onDemand("hls", KINDS[1], { ts: true }),
  gap("hls", "ON_DISCONTINUITY"),
  long(gap("hls", "NEVER")),
  long(gap("shaka", "ON_DISCONTINUITY")),
  gap("shaka", "NEVER"),
  gap("dash"),
  sdk(),
  firstPicture("on demand", "hls", "recording"),
  long(firstPicture("on demand", "shaka", "recording")),
  long(firstPicture("on demand", "dash", "recording")),
  live("hls", KINDS[0], { delayMsMax: PLAIN_DELAY_MS_MAX }),
  live("shaka", KINDS[0]),
  live("dash", KINDS[0]),
  live("hls", KINDS[0], { lowLatency: true, delayMsMax: 1000 }),
  long(live("hls", KINDS[0], { ts: true })),
  firstPicture("live", "hls", "live"),
  firstPicture("low latency", "hls", "live", { lowLatency: true }),
  long(firstPicture("live", "shaka", "live")),
  long(firstPicture("live", "dash", "live")),
  live("hls", KINDS[1], { lowLatency: true }),
  long(live("hls", KINDS[1], { delayMsMax: PLAIN_DELAY_MS_MAX })),
  long(live("shaka", KINDS[1])),
  long(live("dash", KINDS[1])),
];
