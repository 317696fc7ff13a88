import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeVideo, chunk, initBytes, mediaBytes, mediaSurface } from "./fakes.fixture.ts";
import { type Lead, type SoundFault, SoundPlayer } from "./sound.ts";

const WALL = 1_795_166_438_000;

beforeEach(() => void vi.useFakeTimers({ now: WALL }));
afterEach(() => void vi.useRealTimers());

/** A picture that runs, and sound that comes for it: a piece each quarter of a second. */
function setUp() {
  const media = mediaSurface();
  const audio = new FakeVideo();
  audio.buffer = () => media.sources[0]?.buffers[0];
  const picture = { lead: null as Lead | null };
  const faults: SoundFault[] = [];
  const player = new SoundPlayer({
    audio: audio as unknown as HTMLAudioElement, lead: () => picture.lead, onFault: (fault) => faults.push(fault), surface: media.surface,
  });
  media.sources[0]?.open();
  let done = 0;
  let pieces = 0;
  let sent = 0;
  const format = async () => {
    player.setFormat("mp4a.40.2");
    player.push(chunk({ kind: "sound-init", bytes: initBytes() }), () => done++);
    pieces++;
    sent = 0;
    await vi.advanceTimersByTimeAsync(2);
  };
  const piece = async (wallMs: number) => {
    player.push(chunk({ kind: "sound", wallUs: wallMs * 1000, durationUs: 250_000, bytes: mediaBytes(sent++ / 4, 0.25) }), () => done++);
    pieces++;
    await vi.advanceTimersByTimeAsync(2);
  };
  const run = async (seconds: number) => {
    for (let n = 0; n < seconds * 20; n++) {
      if (n % 5 === 0) player.tick();
      await vi.advanceTimersByTimeAsync(50);
      if (picture.lead) picture.lead.wallMs += 50 * picture.lead.rate;
      audio.advance(0.05);
    }
  };
  return { media, audio, picture, player, faults, format, piece, run, counts: () => [done, pieces] };
}

test("sound follows the picture to the same wall time", async () => {
  const { audio, picture, player, format, piece, run, counts } = setUp();
  await format();
  for (let n = 0; n < 40; n++) await piece(WALL + n * 250);
  player.tick();
  expect(audio.paused).toBe(true); // no picture yet
  picture.lead = { wallMs: WALL + 2000, rate: 1 };
  await run(4);
  expect(player.isPlaying).toBe(true);
  expect(Math.abs(player.offS ?? 9)).toBeLessThan(0.05);
  // The picture is sought; then it stands; then it is where no sound is yet.
  picture.lead.wallMs += 1500;
  await run(1);
  expect(Math.abs(player.offS ?? 9)).toBeLessThan(0.05);
  picture.lead = null;
  player.tick();
  expect([player.isPlaying, player.offS]).toEqual([false, null]);
  picture.lead = { wallMs: WALL + 60_000, rate: 1 };
  player.tick();
  expect(player.isPlaying).toBe(false);
  picture.lead = { wallMs: WALL - 60_000, rate: 1 };
  player.tick();
  expect(player.isPlaying).toBe(false);
  const [done, pieces] = counts();
  expect(done).toBe(pieces);
});

test("a little off, its rate brings it back; far off, a seek does", async () => {
  const { audio, picture, player, format, piece, run } = setUp();
  await format();
  for (let n = 0; n < 40; n++) await piece(WALL + n * 250);
  picture.lead = { wallMs: WALL, rate: 1.1 };
  await run(1);
  const seeks = audio.seeks.length;
  picture.lead.wallMs += 150;
  player.tick();
  expect(audio.playbackRate).toBeCloseTo(1.1 * 1.05);
  await run(4);
  expect(Math.abs(player.offS ?? 9)).toBeLessThan(0.05);
  expect(audio.seeks.length).toBe(seeks);
  picture.lead.wallMs += 400;
  player.tick();
  expect(audio.seeks.length).toBe(seeks + 1);
});

test("what begins anew lies behind what was there", async () => {
  const { media, audio, picture, format, piece, run, player } = setUp();
  await format();
  for (let n = 0; n < 8; n++) await piece(WALL + n * 250);
  await format();
  // Ten seconds were lost with the connection.
  for (let n = 0; n < 8; n++) await piece(WALL + 12_000 + n * 250);
  expect(media.sources[0]?.buffers[0]?.ranges).toEqual([{ from: 0, to: 4 }]);
  picture.lead = { wallMs: WALL + 12_500, rate: 1 };
  await run(1);
  expect(audio.currentTime).toBeGreaterThan(2.4);
  expect(Math.abs(player.offS ?? 9)).toBeLessThan(0.05);
});

test("faults are told, and nothing is held after the end", async () => {
  const { player, faults, format, piece, counts, audio, media } = setUp();
  player.push(chunk({ kind: "sound", bytes: new Uint8Array(3) }), () => {});
  expect(faults).toEqual([]); // of no format: passed over
  player.setFormat("hvc1");
  expect(faults).toEqual(["unsupported"]);
  await format();
  player.push(chunk({ kind: "sound", bytes: new Uint8Array(9) }), () => {});
  expect(faults.at(-1)).toBe("malformed");
  audio.play = () => Promise.reject(new DOMException("", "NotAllowedError"));
  player.destroy();
  await piece(WALL);
  const [done, pieces] = counts();
  expect(done).toBe(pieces);
  expect([audio.src, media.revoked.length]).toEqual(["", 1]);
});
