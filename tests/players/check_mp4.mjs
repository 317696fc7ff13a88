#!/usr/bin/env node
// A second opinion on an MP4 file: `node check_mp4.mjs FILE`. Reads it with mp4box.js, takes every
// sample out, and prints one JSON object; exit status 1 when something does not add up.

import { readFileSync } from "node:fs";
import { Log, createFile } from "mp4box";

Log.setLogLevel(Log.LOG_LEVEL_NONE ?? 0);

function check(path) {
  const bytes = readFileSync(path);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  buffer.fileStart = 0;
  const file = createFile(true); // media data is kept
  const faults = [];
  let info = null;
  file.onError = (_module, message) => faults.push(String(message));
  file.onReady = (found) => (info = found);
  file.appendBuffer(buffer);
  file.flush();
  if (!info) return { faults: [...faults, "no movie was found"] };

  const boxes = file.boxes.map(({ type, start, size }) => ({ type, start, size }));
  let end = 0;
  for (const { type, start, size } of boxes) {
    if (start !== end) faults.push(`${type} begins at ${start}, not at ${end}`);
    end = start + size;
  }
  if (end !== bytes.length) faults.push(`boxes end at ${end} of ${bytes.length}`);
  const data = boxes.filter(({ type }) => type === "mdat");
  const tracks = info.tracks.map((track) => {
    const samples = file.getTrackSamplesInfo(track.id);
    let dts = null;
    let isSyncFirst = samples.length > 0 && samples[0].is_sync;
    for (const [index, sample] of samples.entries()) {
      const inside = data.some(({ start, size }) =>
        sample.offset >= start + 8 && sample.offset + sample.size <= start + size);
      if (!inside) faults.push(`track ${track.id}: sample ${index} lies outside the media data`);
      if (dts !== null && sample.dts !== dts) {
        faults.push(`track ${track.id}: sample ${index} at ${sample.dts}, not ${dts}`);
      }
      if (sample.size === 0) faults.push(`track ${track.id}: sample ${index} is empty`);
      if (sample.duration <= 0) faults.push(`track ${track.id}: sample ${index} has no duration`);
      dts = sample.dts + sample.duration;
    }
    if (!isSyncFirst) faults.push(`track ${track.id} does not begin with a sync sample`);
    return {
      type: track.type, codec: track.codec, samples: samples.length,
      seconds: track.samples_duration / track.timescale,
    };
  });
  return { faults: faults.slice(0, 20), fragmented: info.isFragmented, tracks, boxes: boxes.map(({ type }) => type) };
}

const result = check(process.argv[2]);
console.log(JSON.stringify(result));
process.exitCode = result.faults.length ? 1 : 0;
