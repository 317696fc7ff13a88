import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import type { StreamHealth, StreamInfo } from "../../api/types.ts";
import { reconnections } from "../../app/connection.ts";
import { dateTime, number, retention, span, t } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { query, setQuery } from "../../app/router.ts";
import { formatQuery } from "../../app/routes.ts";
import { clock } from "../../app/session.ts";
import { openDash } from "../../player/dash-engine.ts";
import type { Engine } from "../../player/engine.ts";
import { openHls } from "../../player/hls-engine.ts";
import { Playback, type PlaybackState, type Transport } from "../../player/playback.ts";
import { saveSnapshot } from "../../player/snapshot.ts";
import { transformOf } from "../../player/zoom.ts";
import { kvssinkLines, putLine } from "../../streams/lines.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { copy, useCopied } from "../../ui/copy.ts";
import { SelectField } from "../../ui/field.tsx";
import { useIsPhone } from "../../ui/phone.ts";
import { Empty } from "../../ui/states.tsx";
import { FirstPicture } from "./first-picture.tsx";
import { Stats } from "./stats.tsx";
import { useStill } from "./still.ts";
import { useZoom } from "./use-zoom.ts";

const SPEEDS = ["0.25", "0.5", "1", "1.5", "2", "4"];
const JUMP_SECONDS = 10;
const LONG_JUMP_SECONDS = 60;
const URL_EVERY_MS = 1000;

export interface PlayerHandle {
  /** Goes to an instant, epoch milliseconds; null is live. */
  seek: (wallMs: number | null) => void;
  /** Plays a session made elsewhere on this page. */
  playUrl: (url: string, kind: "hls" | "hls-live" | "dash") => void;
}

interface PlayerProps {
  api: Api;
  stream: StreamInfo;
  health: StreamHealth | undefined;
  handle: PlayerHandle;
  onPlayhead: (playhead: { wallMs: number | null; isLive: boolean }) => void;
}

export function Player({ api, stream, health, handle, onPlayhead }: PlayerProps) {
  const name = stream.StreamName;
  const root = useRef<HTMLDivElement>(null);
  const first = useRef<HTMLVideoElement>(null);
  const second = useRef<HTMLVideoElement>(null);
  const playback = useRef<Playback | undefined>(undefined);
  const foreign = useRef<Engine | undefined>(undefined);
  const fragmentSeconds = useRef(2);
  if (health?.KeyFrameIntervalMilliseconds) fragmentSeconds.current = health.KeyFrameIntervalMilliseconds / 1000;

  const isOff = useRef(false);
  isOff.current = health !== undefined && (health.State === "OFF" || health.LastFragment === null);

  const [state, setState] = useState<PlaybackState>();
  const [isMuted, setMuted] = useState(true);
  const [speed, setSpeed] = useState("1");
  const [hasStats, showStats] = useState(false);
  const [isForeign, setForeign] = useState(false);
  const [isCopied, setCopied] = useCopied();
  const { zoom, isZoomed, ...zooming } = useZoom();
  const urlAt = useRef(0);
  /** The instant in the URL that this player put there or went to. */
  const urlTime = useRef(query.peek()["t"]);

  useEffect(() => {
    if (!first.current || !second.current) return;
    const made = new Playback({
      videos: [first.current, second.current], api, stream: name,
      serverNow: () => clock.now(),
      isOff: () => isOff.current,
      fragmentSeconds: () => fragmentSeconds.current,
      changed: setState,
    });
    playback.current = made;
    const at = Date.parse(query.peek()["t"] ?? "");
    void (Number.isFinite(at) ? made.from(at) : made.live());
    return () => {
      foreign.current?.destroy();
      made.destroy();
    };
  }, [api, name]);

  const leaveForeign = () => {
    foreign.current?.destroy();
    foreign.current = undefined;
    setForeign(false);
  };
  const toLive = (transport?: Transport) => {
    leaveForeign();
    urlTime.current = undefined;
    setQuery({ t: undefined });
    pickSpeed("1");
    void playback.current?.live(transport);
  };
  const seek = (wallMs: number) => {
    leaveForeign();
    urlAt.current = 0;
    void playback.current?.from(wallMs);
  };
  const skip = (seconds: number) => void playback.current?.skip(seconds);
  const pickSpeed = (value: string) => {
    setSpeed(value);
    playback.current?.setRate(Number(value));
  };
  const playPause = () => {
    const now = playback.current;
    if (!now) return;
    if (state?.phase === "ended") void now.retry();
    else if (state?.phase === "paused") {
      now.play();
      // What was live a while ago is no longer: it goes on as a recording.
      if (state.isLive && state.wallMs !== null) seek(state.wallMs);
    }
    else now.pause();
  };
  const mute = () => {
    const video = playback.current?.video;
    if (!video) return;
    video.muted = !video.muted;
    setMuted(video.muted);
  };
  const fullscreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void root.current?.requestFullscreen?.().catch(() => {});
  };
  const snapshot = () => {
    const element = playback.current?.video;
    if (!element) return;
    const wall = isForeign ? foreign.current?.wallOf(element.currentTime) : playback.current?.shownWallMs();
    void saveSnapshot(element, name, wall ?? clock.now());
  };
  const frame = (by: number) => {
    const now = playback.current;
    if (!now) return;
    if (state?.phase !== "paused") now.pause();
    now.video.currentTime += by / (health?.FramesPerSecond || 25);
  };
  const speedBy = (step: number) =>
    pickSpeed(SPEEDS[Math.min(Math.max(0, SPEEDS.indexOf(speed) + step), SPEEDS.length - 1)] ?? "1");
  const copyLink = () => {
    const seen = { ...query.peek() };
    if (state?.wallMs) Object.assign(seen, { t: new Date(state.wallMs).toISOString() });
    void copy(location.origin + location.pathname + formatQuery(seen)).then(setCopied);
  };

  handle.seek = (wallMs) => (wallMs === null ? toLive() : seek(wallMs));
  handle.playUrl = (url, kind) => {
    const element = playback.current?.video;
    if (!element) return;
    leaveForeign();
    playback.current?.suspend();
    setForeign(true);
    const events = { failed: () => setForeign(false) };
    const opened = kind === "dash"
      ? openDash(element, url, fragmentSeconds.current, events)
      : openHls(element, url, kind === "hls" ? "recording" : "live", fragmentSeconds.current, events);
    void opened.then((engine) => {
      foreign.current = engine;
      return element.play();
    }).catch(() => {});
  };

  useKeys({
    " ": playPause,
    ArrowLeft: () => skip(-JUMP_SECONDS),
    ArrowRight: () => skip(JUMP_SECONDS),
    "Shift+ArrowLeft": () => skip(-LONG_JUMP_SECONDS),
    "Shift+ArrowRight": () => skip(LONG_JUMP_SECONDS),
    ",": () => frame(-1),
    ".": () => frame(1),
    "<": () => speedBy(-1),
    ">": () => speedBy(1),
    l: () => toLive(),
    m: mute,
    f: fullscreen,
    s: snapshot,
    i: () => showStats(!hasStats),
    z: zooming.toggle,
    c: copyLink,
  });

  // The playhead is in the URL, at most once a second; live is the absence of it.
  const wallMs = state?.wallMs ?? null;
  const isLive = state?.isLive ?? true;
  const isPhone = useIsPhone();
  useEffect(() => {
    onPlayhead({ wallMs, isLive });
    if (isLive || wallMs === null || Date.now() - urlAt.current < URL_EVERY_MS) return;
    urlAt.current = Date.now();
    urlTime.current = new Date(wallMs).toISOString();
    setQuery({ t: urlTime.current, live: undefined });
  }, [wallMs === null ? null : Math.floor(wallMs / 200), isLive]);

  // Gone to another instant of the same stream, by a link or by back.
  const asked = query.value["t"];
  useEffect(() => {
    if (asked === urlTime.current) return;
    urlTime.current = asked;
    const at = Date.parse(asked ?? "");
    if (Number.isFinite(at)) seek(at);
    else toLive();
  }, [asked]);

  // It sends again, or the server is back: no reason to wait for the next try.
  const isSending = health?.State === "LIVE" && health.LastFragment !== null;
  const back = reconnections.value;
  useEffect(() => {
    const now = playback.current;
    if (now && now.state.phase === "failed" && now.state.isLive && (isSending || back > 0)) void now.retry();
  }, [isSending, back]);

  const hasNothing = health !== undefined && health.LastFragment === null && state?.phase === "failed" && isLive;
  const isStale = isLive && (state?.staleMs ?? 0) > 0;
  const isPlaying = state?.phase === "playing" || state?.phase === "opening";
  return (
    <>
    {hasNothing && (
      <div class="panel">
        <Empty icon="video" title={t("player.nothing")}>
          <p>{t("player.nothingText")}</p>
          <Code text={putLine(name, false)} />
          <Code text={kvssinkLines(api.client.base, name)} />
        </Empty>
      </div>
    )}
    {/* It stays: the first picture comes into it. */}
    <div class={`player${isStale ? " is-stale" : ""}`} ref={root} hidden={hasNothing}>
      <div class={`player-picture${isZoomed ? " is-zoomed" : ""}`} onDblClick={fullscreen} {...zooming.handlers}>
        <div class="player-layers" style={{ transform: isZoomed ? transformOf(zoom) : "none" }}>
          {wallMs === null && isLive && state?.phase !== "failed" && <FirstPicture api={api} stream={name} health={health} />}
          {/* The one that is not shown opens the next session, and takes over. */}
          {[first, second].map((video, n) => {
            const isShown = n === (state?.shown ?? 0);
            return (
              <video key={n} ref={video} muted playsInline class={isShown ? "is-shown" : "is-spare"}
                aria-label={isShown ? t("player.picture", { name }) : undefined} aria-hidden={!isShown} />
            );
          })}
          {state?.phase === "failed" && <LastPicture api={api} stream={name} health={health} />}
        </div>
        {isZoomed && (
          <button type="button" class="over at-end badge" title={t("player.whole")} onClick={zooming.reset}>
            {number(zoom.scale, 1)}×
          </button>
        )}
        {!isForeign && <Badge state={state} onClick={() => showStats(!hasStats)} isOpen={hasStats} />}
        {hasStats && state && playback.current && (
          <Stats state={state} facts={playback.current.facts()} health={health} name={name} />
        )}
        {!isForeign && <Message state={state} health={health} stream={stream}
          onLive={() => toLive()} onLast={(at) => seek(at)} onRetry={() => void playback.current?.retry()} />}
      </div>
      <div class="player-bar" role="toolbar" aria-label={t("player.controls")}>
        <Button look="quiet" icon={isPlaying ? "pause" : "play"} label={t(isPlaying ? "player.pause" : "player.play")} onClick={playPause} />
        <Button look="quiet" icon="rewind" label={t("player.back", { n: JUMP_SECONDS })} onClick={() => skip(-JUMP_SECONDS)} />
        <Button look="quiet" icon="wind" label={t("player.forward", { n: JUMP_SECONDS })} disabled={isLive} onClick={() => skip(JUMP_SECONDS)} />
        {!isLive && (
          <SelectField isBare label={t("player.speed")} value={speed} onChange={pickSpeed}
            choices={SPEEDS.map((value) => ({ value, label: `${number(Number(value), value.includes(".") ? value.length - 2 : 0)}×` }))} />
        )}
        <Button look="quiet" icon={isMuted ? "mute" : "sound"} label={t(isMuted ? "player.unmute" : "player.mute")} onClick={mute} />
        <span class="time ellipsis">{wallMs !== null && dateTime(wallMs)}</span>
        <span class="grow" />
        {isLive ? (
          <SelectField<Transport> isBare label={t("player.transport")} value={state?.transport ?? "ll-hls"}
            onChange={(transport) => toLive(transport)}
            choices={[
              { value: "ll-hls", label: t("player.llhls") }, { value: "hls", label: "HLS" }, { value: "dash", label: "DASH" },
            ]} />
        ) : isPhone ? (
          <Button icon="live" label={t("player.toLive")} onClick={() => toLive()} />
        ) : (
          <Button icon="live" onClick={() => toLive()}>{t("player.toLive")}</Button>
        )}
        <span class="only-wide">
          <Button look="quiet" icon={isCopied ? "check" : "copy"} label={t(isCopied ? "copied" : "player.copyLink")} onClick={copyLink} />
        </span>
        <Button look="quiet" icon="camera" label={t("player.snapshot")} disabled={wallMs === null} onClick={snapshot} />
        <Button look="quiet" icon="fullscreen" label={t("player.fullscreen")} onClick={fullscreen} />
      </div>
    </div>
    </>
  );
}

interface BadgeProps {
  state: PlaybackState | undefined;
  isOpen: boolean;
  onClick: () => void;
}

/** What is on the screen: how it plays, and how old it is. */
function Badge({ state, isOpen, onClick }: BadgeProps) {
  if (!state || state.phase === "failed") return null;
  const isStale = state.staleMs > 0;
  const words = !state.isLive ? t("player.recording")
    : isStale ? t("player.stale", { span: span(state.staleMs) })
    : state.phase === "opening" ? t("player.opening")
    : state.phase === "paused" ? t("player.paused")
    : state.delayMs === null ? t("player.live")
    : t("player.liveDelay", { span: t("unit.seconds", { n: number(Math.max(0, state.delayMs) / 1000, 1) }) });
  const sign = !state.isLive ? "▶" : isStale ? "░" : state.phase === "playing" ? "●" : "◌";
  return (
    <button type="button" class={`over at-start badge${isStale ? " is-stale" : ""}`} aria-expanded={isOpen}
      title={t("player.stats")} onClick={onClick}>
      <span class="sign" aria-hidden="true">{sign}</span>{words}
    </button>
  );
}

interface MessageProps {
  state: PlaybackState | undefined;
  health: StreamHealth | undefined;
  stream: StreamInfo;
  onLive: () => void;
  onLast: (wallMs: number) => void;
  onRetry: () => void;
}

/** Why there is no picture, and what to do next. */
function Message({ state, health, stream, onLive, onLast, onRetry }: MessageProps) {
  if (!state) return null;
  if (state.phase === "ended") {
    return (
      <div class="over message" role="status">
        <p>{t("player.end")}</p>
        <Button icon="live" onClick={onLive}>{t("player.toLive")}</Button>
      </div>
    );
  }
  if (state.skipped) {
    return (
      <div class="over message skipped-note" role="status">
        <p>{t("player.skipped", { from: dateTime(state.skipped.fromMs), to: dateTime(state.skipped.toMs) })}</p>
      </div>
    );
  }
  if (state.phase !== "failed" || !state.error) return null;
  const last = health?.LastFragment?.ServerTimestamp;
  const { error } = state;
  if (state.isLive && error.isNotFound) {
    return (
      <div class="over message" role="status">
        <p>{health?.State === "SILENT" ? t("player.silent") : t("player.off")}</p>
        {last && <p class="small">{t("player.lastAt", { time: dateTime(last * 1000) })}</p>}
        {last && stream.DataRetentionInHours > 0 && <Button icon="play" onClick={() => onLast(last * 1000 - 10_000)}>{t("player.playLast")}</Button>}
      </div>
    );
  }
  const next = error.isNotFound ? t("player.notFound")
    : error.exception === "NoDataRetentionException" ? t("player.noRetention", { none: retention(0) })
    : error.exception === "MissingCodecPrivateDataException" ? t("player.noCodecData")
    : error.exception === "UnsupportedStreamMediaTypeException" ? t("player.unsupported")
    : error.isDenied ? t("error.denied")
    : "";
  return (
    <div class="over message" role="alert">
      <p>{next || t("player.failed")}</p>
      <p class="small">{error.exception === "ConsoleError" ? error.operation : error.exception}: {error.message}{error.requestId ? ` (${error.requestId})` : ""}</p>
      <div class="row wrap">
        <Button icon="retry" onClick={onRetry}>{t("retry")}</Button>
        {!state.isLive && <Button icon="live" onClick={onLive}>{t("player.toLive")}</Button>}
      </div>
    </div>
  );
}

const LAST_PICTURE_WIDTH = 640;

/** The newest picture there is, greyed: it does not look live. */
function LastPicture({ api, stream, health }: { api: Api; stream: string; health: StreamHealth | undefined }) {
  const url = useStill(api, stream, health?.LastFragment?.ServerTimestamp, LAST_PICTURE_WIDTH);
  return url ? <img class="last-picture" src={url} alt="" /> : null;
}
