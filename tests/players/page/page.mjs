// Plays one URL with one player. The runner calls `play` and reads `monitor`.

import { Monitor } from "/monitor.mjs";

const video = document.querySelector("#video");

/**
 * What loading took at the start stays as delay, and hls.js catches up only with more than a second
 * in its buffer: so it is done here, as any page can.
 */
function keepUp(hls, behind) {
  setInterval(() => {
    const late = hls.latency - behind;
    if (late > 0.15) video.playbackRate = 1.1;
    else if (late < 0.03) video.playbackRate = 1;
  }, 100);
}

const players = {
  async hls(url, monitor, { live, lowLatency, fragmentSeconds }) {
    const { Hls } = window;
    // How far behind the newest picture listed. Plain: a fragment and a half, where the default is
    // three target durations of 3 s. With parts: two parts and a bit, where PART-HOLD-BACK says three.
    const behind = lowLatency ? 0.6 : fragmentSeconds * 1.5;
    // `lowLatencyMode` stays on, as it is by default, for lists without parts too: only so does
    // hls.js wait for the next fragment at the server. Else it asks again a fragment's length after
    // it asked before, and is later by whatever of a fragment had passed when it asked first.
    const hls = new Hls(live ? { liveSyncDuration: behind } : {});
    if (live) keepUp(hls, behind);
    hls.on(Hls.Events.ERROR, (_event, data) => {
      monitor.error(`hls.js: ${data.details}${data.fatal ? " (fatal)" : ""}: ${data.reason ?? data.error?.message ?? ""}`);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return hls;
  },

  async shaka(url, monitor) {
    const { shaka } = window;
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    player.addEventListener("error", ({ detail }) => {
      monitor.error(`shaka: ${detail.severity} ${detail.category} ${detail.code} ${JSON.stringify(detail.data?.map?.(String))}`);
    });
    player.addEventListener("stalldetected", () => monitor.error("shaka: stall detected"));
    player.addEventListener("gapjumped", () => {
      // It starts where the first segment's picture starts; the first whole AAC frame begins up to
      // 23 ms later. That is no gap in what plays.
      if (monitor.firstPictureMs === null) monitor.note("gap jumped before the first picture");
      else monitor.error("shaka: gap jumped");
    });
    await player.attach(video);
    try {
      await player.load(url);
    } catch (error) {
      monitor.error(`shaka: load: ${error.code} ${JSON.stringify(error.data?.map?.(String))}`);
    }
    return player;
  },

  async dash(url, monitor) {
    const { MediaPlayer } = window.dashjs;
    const player = MediaPlayer().create();
    const say = (name) => (event) => {
      monitor.error(`dash.js: ${name} ${event?.error?.code ?? ""} ${event?.error?.message ?? ""}`);
    };
    player.on(MediaPlayer.events.ERROR, say("error"));
    player.on(MediaPlayer.events.PLAYBACK_STALLED, say("playback stalled"));
    player.on("gapCausedInternalSeek", say("gap seek"));
    player.on("gapCausedSeekToPeriodEnd", say("gap seek to the end"));
    player.updateSettings({ debug: { logLevel: 0 } });
    // It must see the element start, or it never reloads the manifest.
    player.initialize(video, url, true);
    return player;
  },
};

window.play = async (options) => {
  const monitor = new Monitor(video);
  monitor.pressedAt = options.pressedAt ?? Date.now();
  window.monitor = monitor;
  window.player = await players[options.player](options.url, monitor, options);
  if (video.paused && options.player !== "dash") {
    await video.play().catch((error) => monitor.error(`play: ${error.message}`));
  }
};

window.isReady = true;
