import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import { isOnline, nextTry, reconnections } from "../../app/connection.ts";
import { t, timeOfDay } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { Link } from "../../app/link.tsx";
import { useLoad } from "../../app/load.ts";
import { serverNow } from "../../app/now.ts";
import { go, query, setQuery } from "../../app/router.ts";
import { clock, stayUnattended } from "../../app/session.ts";
import { type Budget, HARDWARE_PIXELS_PER_SECOND, SOFTWARE_PIXELS_PER_SECOND } from "../../live/tiers.ts";
import { HealthWatch } from "../../streams/health-watch.ts";
import { Thumbnails } from "../../streams/thumbnails.ts";
import { isHealth } from "../../streams/words.ts";
import { ownZone } from "../../time/zone.ts";
import { Button } from "../../ui/button.tsx";
import { SelectField } from "../../ui/field.tsx";
import { useIsPhone } from "../../ui/phone.ts";
import { Empty, ErrorBox, Notice, Skeleton } from "../../ui/states.tsx";
import { type Choice, TILES_MAX, choiceOf, gridOf, layoutText, moved, pageOf } from "./layout.ts";
import { askOpenLive, openLiveUrl } from "./open-live.ts";
import { groupOf } from "./shown.ts";
import { Tile, type TileCalls } from "./tile.tsx";
import { TICK_MS, Wall } from "./wall.ts";
import { nameWords, soundWords } from "./words.ts";
import "./wall.css";

const LIST_MAX = 1000;
const STILL_WIDTH = 320;
const SHAPE = 16 / 9;
const SAY_EVERY_MS = 5000;
const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export default function WallPage({ api, layout }: { api: Api; layout: string }) {
  const choice = choiceOf(layout, query.value);
  const listed = useLoad((signal) => api.listStreams({ max: LIST_MAX }, signal), [], { isOff: choice.streams !== null });
  const all = choice.streams ?? listed.value?.StreamInfoList.map(({ StreamName }) => StreamName).sort(names.compare);
  if (!all) {
    if (!listed.error) return <div class="page"><Skeleton height="32px" width="240px" /><Skeleton height="360px" /></div>;
    return (
      <div class="page">
        <ErrorBox title={t("list.error")} error={listed.error} onRetry={listed.reload} />
        <p class="muted">{t("wall.byUrl")}</p>
      </div>
    );
  }
  if (all.length === 0) {
    return (
      <Empty icon="video" title={t("wall.empty")}>
        <p>{t("wall.emptyText")}</p>
        <Link class="button" to={{ page: "streams" }}>{t("place.streams")}</Link>
      </Empty>
    );
  }
  return <Tiles api={api} choice={choice} all={all} />;
}

function Tiles({ api, choice, all }: { api: Api; choice: Choice; all: readonly string[] }) {
  const isPhone = useIsPhone();
  const health = useMemo(() => new HealthWatch(api, { hasRates: false }), [api]);
  const stills = useMemo(() => new Thumbnails(api, STILL_WIDTH), [api]);
  const wall = useMemo(() => makeWall(api, health, stills), [api]);
  const page = pageOf(all, choice.layout, choice.page);
  const key = page.names.join(",");
  const enlarged = choice.tile !== null && page.names.includes(choice.tile) ? choice.tile : null;
  const [focused, setFocused] = useState<string | null>(null);
  const [hasStats, showStats] = useState(false);
  const grid = useRef<HTMLDivElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const buttons = useRef(new Map<string, HTMLButtonElement>());
  const calls = useRef(new Map<string, TileCalls>());
  const [size, setSize] = useState({ width: innerWidth, height: innerHeight });

  useEffect(() => {
    const timer = setInterval(() => wall.tick(), TICK_MS);
    const controller = new AbortController();
    const { signal } = controller;
    if (document.hidden) wall.setHidden(true);
    document.addEventListener("visibilitychange", () => wall.setHidden(document.hidden), { signal });
    addEventListener("online", () => wall.wake(), { signal });
    const stop = stayUnattended(() => wall.mayBeUnattended);
    return () => {
      stop();
      clearInterval(timer);
      controller.abort();
      wall.close();
      health.close();
      stills.close();
    };
  }, [wall]);
  useEffect(() => health.want(page.names), [health, key]);
  useEffect(() => wall.enlarge(enlarged), [wall, enlarged, key]);
  useEffect(() => {
    health.refresh();
    wall.retry();
    wall.wake();
  }, [reconnections.value]);
  useEffect(() => {
    const element = grid.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const known = health.known.value;
  useEffect(() => wall.look(), [wall, known]);
  const shapes = page.names.map((name) => {
    const entry = known.get(name)?.entry;
    return isHealth(entry) && entry.WidthPixels && entry.HeightPixels ? entry.WidthPixels / entry.HeightPixels : SHAPE;
  });
  const { columns, rows } = isPhone
    ? { columns: Math.min(2, page.names.length), rows: 0 }
    : gridOf(choice.layout, shapes, size.width, size.height);

  const enlarge = (name: string | null) => {
    const back = name === enlarged ? null : name;
    setQuery({ tile: back ?? undefined });
    buttons.current.get(back ?? name ?? enlarged ?? "")?.focus();
  };
  const move = (event: KeyboardEvent) => {
    const at = page.names.indexOf(focused ?? "");
    const to = page.names[at < 0 ? 0 : moved(at, event.key, page.names.length, columns)];
    if (to === undefined) return;
    if (enlarged) setQuery({ tile: to });
    buttons.current.get(to)?.focus();
  };
  const turn = (to: number) => {
    if (to >= 1 && to <= page.count) setQuery({ page: to === 1 ? undefined : String(to), tile: undefined });
  };
  const toggleSound = () => {
    const name = enlarged ?? focused ?? wall.sound.peek() ?? page.names[0] ?? null;
    wall.setSound(wall.sound.peek() === name ? null : name);
  };
  const fullscreen = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void root.current?.requestFullscreen().catch(() => {});
  };
  const call = (what: keyof TileCalls) => () => calls.current.get(enlarged ?? focused ?? "")?.[what]();
  useKeys({
    ArrowLeft: move, ArrowRight: move, ArrowUp: move, ArrowDown: move,
    Enter: () => { if (focused) enlarge(focused); },
    ...(enlarged ? { Escape: () => enlarge(enlarged) } : {}),
    f: fullscreen,
    m: () => toggleSound(),
    i: () => showStats(!hasStats),
    r: call("last30"),
    s: call("snapshot"),
    ...Object.fromEntries(Array.from({ length: 9 }, (_, n) => [String(n + 1), () => turn(n + 1)])),
  });

  return (
    <div class="wall" ref={root}>
      <header class="wall-head">
        <h1>{t("place.wall")}</h1>
        <SelectField label={t("wall.layout")} isBare value={layoutText(choice.layout)}
          choices={["", "1x1", "2x2", "3x3", "4x4"].map((value) => ({ value, label: value ? value.replace("x", "×") : t("wall.auto") }))}
          onChange={(value) => go({ page: "wall", layout: value }, choice.streams ? { s: choice.streams.join(",") } : {})} />
        {page.count > 1 && (
          <span class="row">
            <Button isSmall icon="back" label={t("wall.previous")} disabled={page.page === 1} onClick={() => turn(page.page - 1)} />
            {t("progress", { done: page.page, of: page.count })}
            <Button isSmall icon="forward" label={t("wall.next")} disabled={page.page === page.count} onClick={() => turn(page.page + 1)} />
          </span>
        )}
        <span class="grow" />
        <Clock />
        <Counts wall={wall} />
        <SoundControl wall={wall} onToggle={toggleSound} />
        <Button isSmall icon="fullscreen" label={t("player.fullscreen")} onClick={fullscreen} />
      </header>
      <Feed wall={wall} />
      <div ref={grid} class={`wall-grid${isPhone ? " is-phone" : ""}${enlarged ? " has-enlarged" : ""}`}
        style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, ...(rows ? { gridTemplateRows: `repeat(${rows}, minmax(0, 1fr))` } : {}) }}>
        {page.names.map((name) => (
          <Tile key={name} wall={wall} name={name} still={stills.known.value.get(name)} hasStats={hasStats}
            isEnlarged={name === enlarged} calls={calls}
            buttonRef={(element) => { if (element) buttons.current.set(name, element); else buttons.current.delete(name); }}
            onFocus={() => setFocused(name)} onEnlarge={() => enlarge(name)} />
        ))}
      </div>
    </div>
  );
}

function Clock() {
  return <span class="muted">{timeOfDay(serverNow.value)} {ownZone()}</span>;
}

/** Which tile is heard, and whether it is. */
function SoundControl({ wall, onToggle }: { wall: Wall; onToggle: () => void }) {
  const name = wall.sound.value;
  const tile = name === null ? undefined : wall.tiles.value.get(name);
  const words = name === null ? t("wall.sound.off") : soundWords(name, tile?.sound.value ?? "off");
  return (
    <span class="row wall-sound">
      <Button isSmall icon={name === null ? "mute" : "sound"} label={t(name === null ? "player.unmute" : "player.mute")}
        onClick={() => (name === null ? onToggle() : wall.setSound(null))} />
      <span role="status" class={name === null ? "visually-hidden" : "ellipsis"}>{words}</span>
    </span>
  );
}

function Counts({ wall }: { wall: Wall }) {
  const count = { live: 0, stale: 0, still: 0, down: 0 };
  for (const tile of wall.tiles.value.values()) count[groupOf(tile.mode.value)] += 1;
  return (
    <span class="wall-counts">
      <span>{t("wall.live", { n: count.live })}</span>
      {count.still > 0 && <span>{t("wall.stills", { n: count.still })}</span>}
      <span class={count.stale > 0 ? "is-stale" : ""}>{t("wall.stale", { n: count.stale })}</span>
      <span class={count.down > 0 ? "is-down" : ""}>{t("wall.down", { n: count.down })}</span>
      <Announcer wall={wall} />
    </span>
  );
}

/** Tells politely which tile froze or came back, at most one in 5 s. */
function Announcer({ wall }: { wall: Wall }) {
  const [said, say] = useState("");
  const last = useRef({ at: 0, modes: new Map<string, string>() });
  const tiles = [...wall.tiles.value.values()].map((tile) => ({ tile, group: groupOf(tile.mode.value) }));
  void serverNow.value; // what could not be said yet is said later
  useEffect(() => {
    const { at, modes } = last.current;
    const isDue = performance.now() - at >= SAY_EVERY_MS;
    for (const { tile: { name, shown }, group } of tiles) {
      const before = modes.get(name);
      const isNews = before !== undefined && before !== group && (group === "stale" || group === "down" || before === "stale");
      if (isNews && !isDue) continue;
      modes.set(name, group);
      if (!isNews || last.current.at !== at) continue;
      last.current.at = performance.now();
      say(nameWords(name, shown.peek()));
    }
  });
  return <span class="visually-hidden" role="status">{said}</span>;
}

/** How the live feed is, where there is something to say. */
function Feed({ wall }: { wall: Wall }) {
  const feed = wall.feed.value;
  const link = wall.link.value;
  void serverNow.value; // counts down
  if (feed.is === "stills") {
    return (
      <div class="wall-notice">
        <Notice kind="warn">
          <div class="row wrap">
            <span class="grow">
              {feed.why.is === "refused" ? t("wall.refused", { name: feed.why.error.exception }) : t("wall.noLive")}
              {feed.why.is === "refused" && <span class="muted small"> {feed.why.error.message}</span>}
            </span>
            <Button isSmall icon="retry" onClick={() => wall.retry()}>{t("retry")}</Button>
          </div>
        </Notice>
      </div>
    );
  }
  // The shell's banner tells of a server that is gone.
  if (link?.is !== "waiting" || (!isOnline.value && nextTry.value > 0)) return null;
  const seconds = Math.max(0, Math.ceil((link.retryAt - wall.needs.wallNow()) / 1000));
  return (
    <div class="wall-notice">
      <Notice kind="warn">
        <div class="row wrap">
          <span class="grow">{t("wall.lost")} {seconds > 0 && t("offline.next", { n: seconds })}</span>
          <Button isSmall icon="retry" onClick={() => wall.wake()}>{t("retry")}</Button>
        </div>
      </Notice>
    </div>
  );
}

function makeWall(api: Api, health: HealthWatch, stills: Thumbnails): Wall {
  const healthOf = (name: string) => {
    const entry = health.known.peek().get(name)?.entry;
    return isHealth(entry) ? entry : undefined;
  };
  const budget: Budget = { pixelsPerSecond: SOFTWARE_PIXELS_PER_SECOND };
  if (matchMedia("(max-width: 767px)").matches) budget.fullMax = 1;
  if (savesData()) budget.most = "key";
  void decodesInHardware().then((does) => { if (does) budget.pixelsPerSecond = HARDWARE_PIXELS_PER_SECOND; });
  return new Wall({
    socket: { url: () => openLiveUrl(api.client) },
    ask: () => askOpenLive(api.client),
    now: () => performance.now(),
    wallNow: () => performance.timeOrigin + performance.now(),
    serverNow: () => clock.now(),
    budget,
    ratio: () => devicePixelRatio,
    healthOf,
    faultOf: (name) => health.known.peek().get(name)?.entry.Error?.Code ?? null,
    stillOf: (name) => stills.known.peek().get(name),
    wantStills: (wanted) => stills.want(wanted.slice(0, TILES_MAX).flatMap((name) => {
      const entry = health.known.peek().get(name)?.entry;
      if (!entry || entry.Error?.Code === "ResourceNotFoundException") return [];
      const at = isHealth(entry) ? entry.LastFragment?.ServerTimestamp : clock.now() / 1000;
      return at === undefined ? [] : [{ name, at }];
    })),
  });
}

async function decodesInHardware(): Promise<boolean> {
  const video = { contentType: 'video/mp4; codecs="avc1.640028"', width: 1920, height: 1080, bitrate: 4e6, framerate: 25 };
  try {
    return (await navigator.mediaCapabilities.decodingInfo({ type: "media-source", video })).powerEfficient;
  } catch {
    return false;
  }
}

function savesData(): boolean {
  const { connection } = navigator as { connection?: { saveData?: boolean; type?: string } };
  return Boolean(connection?.saveData) || connection?.type === "cellular";
}
