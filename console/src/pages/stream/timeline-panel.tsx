import { type ReadonlySignal, effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, asApiError } from "../../api/error.ts";
import { type Api, imageBlob } from "../../api/operations.ts";
import { useKeys } from "../../app/keys.ts";
import { language, t } from "../../app/i18n.ts";
import { query, setQuery } from "../../app/router.ts";
import { clock as serverClock } from "../../app/session.ts";
import { theme } from "../../app/theme.ts";
import { timeWords } from "../../app/understood.ts";
import { clock, duration } from "../../time/format.ts";
import { nextZone, zoneChoice, zoneOf } from "../../time/zones.ts";
import { type LaneCoverage, readCoverage } from "../../timeline/coverage.ts";
import { coloursOf } from "../../timeline/draw.ts";
import type { Landing } from "../../timeline/model.ts";
import { type Hover, type Marks, type Spoken, Timeline } from "../../timeline/timeline.ts";
import { marksOf, marksQuery, proposedRange } from "../../export/clip.ts";
import { type View, centred, spanOf } from "../../timeline/view.ts";
import { Button } from "../../ui/button.tsx";
import { SelectField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ExportJobs, ExportPanel } from "./export-panel.tsx";
import { rangeWords, reasonWords } from "./gap-words.ts";
import { HoverCard, type Picture } from "./hover-card.tsx";
import { SPANS, followed, liveView, resized, spanFrom, spanText } from "./spans.ts";
import { TimeBox } from "./time-box.tsx";
import "./timeline-panel.css";

export interface TimelinePanelProps {
  api: Api;
  stream: string;
  /** Server time of the picture on the screen, epoch milliseconds. */
  playhead: ReadonlySignal<number | null>;
  isLive: ReadonlySignal<boolean>;
  /** To a recorded moment. */
  onSeek: (atMs: number) => void;
  onLive: () => void;
  /** The stream's tag `streamkeep:timezone`. */
  siteZone?: string | undefined;
}

/** Where a click ended that nothing is recorded at, and where one was before: null is live. */
interface Jump {
  landing: Landing;
  before: number | null;
}

type Known = "loading" | "nothing" | "something";

const THUMBNAIL_WIDTH = 240;
/** Pictures that may still be on screen. */
const PICTURES_KEPT = 4;
/** Marks that are dragged are written into the URL when they rest: browsers bear few changes a second. */
const URL_AFTER_MS = 200;
/** Keys of the timeline that work from anywhere on the page. */
const FORWARDED = ["+", "=", "-", "0", "[", "]"];

export function TimelinePanel(props: TimelinePanelProps) {
  const { api, stream, playhead, isLive, siteZone } = props;
  const latest = useRef(props);
  latest.current = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const timeline = useRef<Timeline<Picture> | null>(null);
  const view = useSignal<View>(liveView(serverClock.now(), spanFrom(query.peek()["span"])));
  const hover = useSignal<Hover<Picture> | null>(null);
  const marks = useSignal<Marks>({ from: null, to: null });
  const jump = useSignal<Jump | null>(null);
  const known = useSignal<Known>("loading");
  const problem = useSignal<ApiError | null>(null);
  const choice = zoneChoice(query.value["tz"], siteZone);
  const zone = zoneOf(choice, siteZone);
  const startExport = useRef<(() => void) | null>(null);
  const shownZone = useRef(zone);
  shownZone.current = zone;

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    known.value = "loading";
    problem.value = null;
    jump.value = null;
    hover.value = null;
    const pictures = new Pictures(api, stream);
    const asked = Date.parse(query.peek()["t"] ?? "");
    let urlTimer: ReturnType<typeof setTimeout> | undefined;
    const span = spanOf(view.peek());
    const made = new Timeline<Picture>(element, {
      lanes: [stream],
      view: Number.isFinite(asked) ? centred(asked, span) : liveView(serverClock.now(), span),
      zone: shownZone.current,
      locale: language.peek(),
      label: t("timeline"),
      colours: coloursIn(element),
      font: getComputedStyle(element).fontFamily,
      now: () => serverClock.now(),
      valueText: (spoken) => spokenWords(spoken, shownZone.current, isLive.peek()),
      loadCoverage: async (from, to, maxPoints, signal) => {
        const lanes = await loadCoverage(api, stream, from, to, maxPoints, signal);
        problem.value = faultOf(lanes);
        if (lanes.some(({ pieces }) => pieces.some(({ state }) => state !== "gap"))) known.value = "something";
        else if (known.peek() === "loading") known.value = "nothing";
        return lanes;
      },
      loadThumbnail: (at, signal) => pictures.load(at, signal),
      onSeek: (landing) => {
        const before = isLive.peek() ? null : playhead.peek();
        jump.value = landing.gap ? { landing, before } : null;
        if (landing.at === null) made.setPlayhead(playhead.peek());
        else latest.current.onSeek(landing.at);
      },
      onHover: (next) => { hover.value = next; },
      onRange: (next) => {
        view.value = next;
        const text = spanText(spanOf(next));
        if (text !== query.peek()["span"]) setQuery({ span: text });
      },
      onMarks: (next) => {
        marks.value = { from: whole(next.from), to: whole(next.to) };
        clearTimeout(urlTimer);
        urlTimer = setTimeout(() => setQuery(marksQuery(next)), URL_AFTER_MS);
      },
      onError: (error) => { problem.value = asApiError(error, "GetCoverage"); },
    });
    timeline.current = made;
    made.setMarks(marksOf(query.peek()));
    view.value = made.view;
    let before: number | null = null;
    const stops = [
      effect(() => {
        const at = playhead.value;
        made.setPlayhead(at);
        if (isLive.value && at !== null) {
          const next = followed(made.view, before, at);
          if (next) made.setView(next);
          view.value = made.view;
        }
        before = at;
      }),
      effect(() => {
        void theme.value;
        made.setColours(coloursIn(element));
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      made.destroy();
      pictures.close();
      timeline.current = null;
      clearTimeout(urlTimer);
    };
  }, [api, stream, playhead, isLive]);

  useEffect(() => { timeline.current?.setZone(zone); }, [zone]);

  // Gone to with other marks.
  const { in: inMark, out: outMark } = query.value;
  useEffect(() => {
    const shown = marksQuery(marks.peek());
    if (shown.in !== inMark || shown.out !== outMark) timeline.current?.setMarks(marksOf(query.peek()));
  }, [inMark, outMark]);

  const show = (next: View) => {
    timeline.current?.setView(next);
    if (timeline.current) view.value = timeline.current.view;
  };
  const goLive = () => {
    jump.value = null;
    show(liveView(serverClock.now(), spanOf(view.peek())));
    props.onLive();
  };
  const goBack = (before: number | null) => {
    jump.value = null;
    if (before === null) goLive();
    else timeline.current?.seek(before);
  };
  const exportNow = () => {
    if (startExport.current) startExport.current();
    else timeline.current?.setMarks(proposedRange(marks.peek(), Math.min(playhead.peek() ?? Infinity, serverClock.now())));
  };
  const toKey = (key: string) => () => void canvas.current?.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
  useKeys({
    t: () => input.current?.focus(),
    e: exportNow,
    ...Object.fromEntries(FORWARDED.map((key) => [key, toKey(key)])),
  });

  const { from, to } = marks.value;
  const range = from !== null && to !== null ? { from, to } : null;
  const clearMarks = () => timeline.current?.setMarks({ from: null, to: null });
  const span = spanOf(view.value);
  const spans = SPANS.some((known) => spanText(known) === spanText(span)) ? SPANS : [...SPANS, span].sort((a, b) => a - b);
  return (
    <section class="timeline-panel panel" aria-label={t("timeline")}>
      <div class="timeline-bar">
        <SelectField label={t("timeline.span")} isBare value={spanText(span)}
          choices={spans.map((ms) => ({ value: spanText(ms), label: duration(ms, timeWords()) }))}
          onChange={(text) => {
            setQuery({ span: text });
            show(resized(view.peek(), spanFrom(text), playhead.peek(), isLive.peek()));
          }} />
        <Button isPressed={isLive.value} onClick={goLive}>
          <span class={isLive.value ? "live-sign is-on" : "live-sign"} aria-hidden="true">●</span>{t("timeline.live")}
        </Button>
        <TimeBox zone={zone} now={() => serverClock.now()} shown={() => playhead.peek()} inputRef={input}
          onGo={(at) => timeline.current?.seek(at)} />
        <Button look="quiet" title={t("timeline.zoneNext")}
          onClick={() => setQuery({ tz: nextZone(choice, siteZone) })}>
          <Icon name="clock" />{t(`zone.${choice}`)}{choice !== "utc" && ` · ${zone}`}
        </Button>
        {!range && <Button icon="download" onClick={exportNow}>{t("export.verb")}</Button>}
      </div>
      <div class="timeline-canvas" aria-busy={known.value === "loading"}>
        <canvas ref={canvas} />
        {known.value === "nothing" && !problem.value && <p class="timeline-empty muted small">{t("timeline.empty")}</p>}
        <HoverCard hover={hover} zone={zone} width={() => canvas.current?.clientWidth ?? 0} span={() => spanOf(view.peek())} />
      </div>
      <Problem error={problem.value} onRetry={() => timeline.current?.reload()} />
      {jump.value && <JumpNotice jump={jump.value} zone={zone} onBack={goBack} onClose={() => { jump.value = null; }} />}
      {range
        ? <ExportPanel api={api} stream={stream} range={range} zone={zone} start={startExport}
            onRange={(next) => timeline.current?.setMarks(next)} onClose={clearMarks} />
        : <MarkLine marks={marks.value} zone={zone} onClear={clearMarks} />}
      <ExportJobs api={api} />
    </section>
  );
}

function JumpNotice({ jump: { landing, before }, zone, onBack, onClose }: {
  jump: Jump; zone: string; onBack: (before: number | null) => void; onClose: () => void;
}) {
  const { asked, at, gap } = landing;
  const reason = gap && gap.reason !== "UNKNOWN" ? reasonWords(gap) : "";
  return (
    <div class="timeline-note" role="status">
      <Icon name="info" />
      <span class="grow">
        {at === null
          ? t("timeline.nothingFrom", { from: clock(asked, zone) })
          : t("player.skipped", { from: clock(asked, zone), to: clock(at, zone) })}
        {gap && reason && ` ${reason} ${rangeWords(gap.from, gap.to, zone)}`}
      </span>
      {at !== null && (
        <Button isSmall onClick={() => onBack(before)}>
          {before === null ? t("timeline.backLive") : t("timeline.back", { time: clock(before, zone) })}
        </Button>
      )}
      {at === null && <Button isSmall onClick={() => onBack(null)}>{t("player.toLive")}</Button>}
      <Button isSmall look="quiet" icon="close" label={t("close")} onClick={onClose} />
    </div>
  );
}

function MarkLine({ marks: { from, to }, zone, onClear }: { marks: Marks; zone: string; onClear: () => void }) {
  if (from === null && to === null) return null;
  const time = (at: number | null) => (at === null ? "…" : clock(at, zone, "ds"));
  return (
    <div class="timeline-note">
      <span class="grow"><span class="mono">[ {time(from)} – {time(to)} ]</span> {zone}</span>
      <Button isSmall onClick={onClear}>{t("timeline.clearMarks")}</Button>
    </div>
  );
}

function Problem({ error, onRetry }: { error: ApiError | null; onRetry: () => void }) {
  if (!error) return null;
  return (
    <div class="timeline-note" role="status">
      <Icon name={error.isDenied ? "lock" : "warning"} />
      <span class="grow">
        {t(error.isDenied ? "timeline.denied" : "timeline.failed")}{" "}
        <span class="muted small">{error.exception}{error.message && `: ${error.message}`}</span>
      </span>
      <Button isSmall icon="retry" onClick={onRetry}>{t("retry")}</Button>
    </div>
  );
}

function whole(at: number | null): number | null {
  return at === null ? null : Math.round(at);
}

async function loadCoverage(
  api: Api, stream: string, from: number, to: number, maxPoints: number, signal: AbortSignal,
): Promise<LaneCoverage[]> {
  const input = { Streams: [stream], StartTimestamp: from / 1000, EndTimestamp: to / 1000, MaxPoints: maxPoints };
  return readCoverage({ Streams: await api.getCoverage(input, signal) }, from, to, serverClock.now());
}

function faultOf(lanes: readonly LaneCoverage[]): ApiError | null {
  const name = lanes.find(({ error }) => error !== null)?.error;
  return name ? new ApiError("GetCoverage", name, "", 200, null) : null;
}

/** The newest pictures under the pointer; older ones are let go of. */
class Pictures {
  #urls: string[] = [];
  #isClosed = false;

  constructor(private readonly api: Api, private readonly stream: string) {}

  async load(at: number, signal: AbortSignal): Promise<Picture> {
    const input = { StreamName: this.stream, Timestamps: [at / 1000], WidthPixels: THUMBNAIL_WIDTH };
    const [found] = await this.api.getThumbnails(input, signal);
    signal.throwIfAborted();
    if (!found?.ImageContent || this.#isClosed) throw new Error(found?.Error ?? "no picture");
    const url = URL.createObjectURL(imageBlob(found.ImageContent));
    this.#urls.push(url);
    if (this.#urls.length > PICTURES_KEPT) URL.revokeObjectURL(this.#urls.shift() ?? "");
    return { url, atMs: found.FrameTimestamp === null ? null : found.FrameTimestamp * 1000 };
  }

  close(): void {
    this.#isClosed = true;
    for (const url of this.#urls) URL.revokeObjectURL(url);
  }
}

/** A canvas does not know light-dark(): the browser is asked what it means here. */
function coloursIn(element: HTMLElement) {
  const probe = document.createElement("span");
  element.parentElement?.append(probe);
  const colours = coloursOf((name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}

function spokenWords({ at, state, gap }: Spoken, zone: string, isLive: boolean): string {
  const words = {
    full: t("player.recording"), part: t("timeline.partly"), gap: gap ? reasonWords(gap) : t("gap.UNKNOWN"),
    loading: t("loading"), none: "",
  }[state];
  return [`${clock(at, zone)} ${zone}`, isLive && t("player.live"), words].filter(Boolean).join(", ");
}
