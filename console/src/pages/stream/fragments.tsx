import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ApiError, asApiError, isAbort } from "../../api/error.ts";
import type { Api } from "../../api/operations.ts";
import type { FragmentInfo, StreamInfo } from "../../api/types.ts";
import { bytes, number, t, tn } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { query } from "../../app/router.ts";
import { clock as serverClock } from "../../app/session.ts";
import { timeWords } from "../../app/understood.ts";
import { clipRequest } from "../../export/clip.ts";
import { BlobSink, drain } from "../../export/sink.ts";
import { fileName, saveFile } from "../../player/snapshot.ts";
import { FragmentList } from "../../streams/fragment-list.ts";
import { clock, date, dateTime } from "../../time/format.ts";
import { zoneChoice, zoneOf } from "../../time/zones.ts";
import { Button } from "../../ui/button.tsx";
import { Code } from "../../ui/code.tsx";
import { ErrorBox, Skeleton } from "../../ui/states.tsx";
import { scrollFor, windowOf } from "../../ui/virtual.ts";
import { nextStep } from "./export-panel.tsx";
import "./fragments.css";

interface FragmentsProps {
  api: Api;
  stream: StreamInfo;
  siteZone: string | undefined;
  /** Wall time of the picture on the screen. */
  playhead: number | null;
  onShow: (wallMs: number) => void;
}

const ROW = 48;
const SPARE = 8;
/** Older ones are asked for before the end is seen. */
const AHEAD_ROWS = 40;
const NEWER_EVERY_MS = 2000;
const HOUR_MS = 3_600_000;

const startOf = (fragment: FragmentInfo) => Math.round(fragment.ServerTimestamp * 1000);

/** What is stored, fragment by fragment, newest first. */
export default function Fragments({ api, stream, siteZone, playhead, onShow }: FragmentsProps) {
  const id = useId();
  const name = stream.StreamName;
  const zone = zoneOf(zoneChoice(query.value["tz"], siteZone), siteZone);
  const keptHours = stream.DataRetentionInHours;
  const list = useMemo(() => new FragmentList(
    api, name, () => serverClock.now(),
    () => Math.max(stream.CreationTime * 1000 - HOUR_MS, serverClock.now() - (keptHours + 1) * HOUR_MS),
  ), [api, name, keptHours]);
  const { rows, isLoading, isComplete, error } = list.state.value;

  const body = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 480 });
  const [cursor, setCursor] = useState<string | null>(null);
  const [seen, setSeen] = useState(0);
  const at = rows.findIndex(({ FragmentNumber }) => FragmentNumber === cursor);
  const chosen = rows[at];
  const { first, end } = windowOf(rows.length, ROW, view.top, view.height, SPARE);

  useEffect(() => {
    void list.older();
    const timer = setInterval(() => { if (!document.hidden) void list.newer(); }, NEWER_EVERY_MS);
    return () => {
      clearInterval(timer);
      list.close();
    };
  }, [list]);
  useEffect(() => {
    if (!isComplete && !isLoading && !error && end + AHEAD_ROWS >= rows.length) void list.older();
  }, [end, rows.length, isComplete, isLoading, error]);

  useLayoutEffect(() => {
    const element = body.current;
    if (!element) return;
    const look = () => setView({ top: element.scrollTop, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);

  // New ones come in front: what is looked at stays where it is, unless that is the newest.
  const newest = useRef<string | undefined>(undefined);
  useLayoutEffect(() => {
    const added = rows.findIndex(({ FragmentNumber }) => FragmentNumber === newest.current);
    newest.current = rows[0]?.FragmentNumber;
    if (added <= 0 || !body.current) return;
    if (body.current.scrollTop < ROW / 2 && cursor === null) return;
    body.current.scrollTop += added * ROW;
    setSeen((before) => before + added);
  }, [rows]);
  const toNewest = () => {
    body.current?.scrollTo(0, 0);
    setSeen(0);
  };
  useEffect(() => { if (view.top < ROW / 2) setSeen(0); }, [view.top < ROW / 2]);

  const move = (to: number) => {
    const next = Math.min(Math.max(0, to), rows.length - 1);
    setCursor(rows[next]?.FragmentNumber ?? null);
    const element = body.current;
    if (element) element.scrollTop = scrollFor(next, ROW, element.scrollTop, element.clientHeight);
  };
  const show = (fragment: FragmentInfo | undefined) => { if (fragment) onShow(startOf(fragment) + 1); };
  const handlers = {
    j: () => move(at + 1),
    k: () => move(at < 0 ? 0 : at - 1),
    Enter: () => show(chosen),
  };
  useKeys(handlers);
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(view.height / ROW) - 1);
    const run = {
      ArrowDown: handlers.j, ArrowUp: handlers.k, PageDown: () => move(at + page), PageUp: () => move(at - page),
      Home: () => move(0), End: () => move(rows.length - 1),
    }[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };

  return (
    <div class="fragments">
      <div class="fragments-head small muted">
        <span class="grow">{rows.length > 0 && tn(isComplete ? "fragments.all" : "fragments.some", rows.length)} · {zone}</span>
        {seen > 0 && <Button isSmall onClick={toNewest}>{tn("fragments.newer", seen)}</Button>}
      </div>
      <div class="fragments-columns small muted" aria-hidden="true">
        <span>{t("fragments.server")}</span><span>{t("fragments.length")}</span><span>{t("fragments.size")}</span>
      </div>
      <div ref={body} class="fragments-body" role="listbox" tabIndex={0} aria-label={t("tab.fragments")}
        aria-activedescendant={chosen ? `${id}-${chosen.FragmentNumber}` : undefined} onKeyDown={onKeyDown}>
        <div role="presentation" class="fragments-rows" style={{ blockSize: `${rows.length * ROW}px` }}>
          {rows.slice(first, end).map((fragment, offset) => (
            <Row key={fragment.FragmentNumber} id={`${id}-${fragment.FragmentNumber}`} fragment={fragment} zone={zone} top={(first + offset) * ROW}
              index={first + offset} count={rows.length} isChosen={fragment.FragmentNumber === cursor} isShown={holds(fragment, playhead)}
              onChoose={() => setCursor(fragment.FragmentNumber)} onShow={() => show(fragment)} />
          ))}
        </div>
        {rows.length === 0 && !isComplete && !error && <div class="stack" role="presentation">{[0, 1, 2].map((n) => <Skeleton key={n} height="40px" />)}</div>}
      </div>
      {rows.length === 0 && isComplete && <p class="muted">{t("timeline.empty")}</p>}
      {error && <ErrorBox title={t("fragments.error")} error={error} onRetry={() => void list.older()} />}
      {chosen && <Chosen key={chosen.FragmentNumber} api={api} name={name} fragment={chosen} zone={zone} onShow={() => show(chosen)} />}
    </div>
  );
}

function holds(fragment: FragmentInfo, playhead: number | null): boolean {
  const start = startOf(fragment);
  return playhead !== null && playhead >= start && playhead < start + fragment.FragmentLengthInMilliseconds;
}

function Row({ id, fragment, zone, top, index, count, isChosen, isShown, onChoose, onShow }: {
  id: string; fragment: FragmentInfo; zone: string; top: number; index: number; count: number; isChosen: boolean; isShown: boolean;
  onChoose: () => void; onShow: () => void;
}) {
  const start = startOf(fragment);
  const today = date(serverClock.now(), zone, timeWords());
  const day = date(start, zone, timeWords());
  return (
    <div id={id} role="option" aria-selected={isChosen} aria-posinset={index + 1} aria-setsize={count}
      class={`fragment-row${isShown ? " is-playing" : ""}`} style={{ insetBlockStart: `${top}px`, blockSize: `${ROW}px` }}
      onClick={onChoose} onDblClick={onShow}>
      <span class="fragment-time">{clock(start, zone, "ms")}{day !== today && <span class="muted small"> {day}</span>}</span>
      <span class="end">{lengthWords(fragment)}</span>
      <span class="end">{bytes(fragment.FragmentSizeInBytes)}</span>
      <span class="fragment-more small muted">
        <span>{t("fragments.producerAt", { time: clock(Math.round(fragment.ProducerTimestamp * 1000), zone, "ms") })}</span>
        <span class="mono ellipsis">{fragment.FragmentNumber}</span>
      </span>
    </div>
  );
}

function lengthWords(fragment: FragmentInfo): string {
  return t("unit.seconds", { n: number(fragment.FragmentLengthInMilliseconds / 1000, 2) });
}

type Container = "mp4" | "mkv";

/** The fragment that is chosen: all of it, and as a file. */
function Chosen({ api, name, fragment, zone, onShow }: { api: Api; name: string; fragment: FragmentInfo; zone: string; onShow: () => void }) {
  const [busy, setBusy] = useState<Container | null>(null);
  const [error, setError] = useState<ApiError>();
  const controller = useMemo(() => new AbortController(), []);
  useEffect(() => () => controller.abort(), [controller]);
  const start = startOf(fragment);

  const save = async (container: Container) => {
    setBusy(container);
    setError(undefined);
    try {
      const { signal } = controller;
      const [operation, response] = container === "mp4"
        ? ["GetClip", await api.clip(clipRequest(name, { from: start, to: start + 1 }), {}, signal)] as const
        : ["GetMediaForFragmentList", await api.fragments(name, [fragment.FragmentNumber], signal)] as const;
      const type = container === "mp4" ? "video/mp4" : "video/x-matroska";
      await drain(operation, response, new BlobSink(type, (blob) => saveFile(blob, fileName(name, start, container))), () => {});
    } catch (caught) {
      if (!isAbort(caught)) setError(asApiError(caught));
    }
    setBusy(null);
  };
  return (
    <div class="fragment-chosen stack">
      <Code text={fragment.FragmentNumber} label={t("fragments.number")} />
      <dl class="facts-list small">
        <dt>{t("fragments.server")}</dt><dd>{dateTime(start, zone, timeWords(), "ms")}</dd>
        <dt>{t("fragments.producer")}</dt><dd>{dateTime(Math.round(fragment.ProducerTimestamp * 1000), zone, timeWords(), "ms")}</dd>
        <dt>{t("fragments.length")}</dt><dd>{lengthWords(fragment)} · {bytes(fragment.FragmentSizeInBytes)}</dd>
      </dl>
      <div class="row wrap">
        <Button icon="play" onClick={onShow}>{t("fragments.show")}</Button>
        <Button icon="download" disabled={busy !== null} onClick={() => void save("mp4")}>MP4</Button>
        <Button icon="download" disabled={busy !== null} onClick={() => void save("mkv")}>MKV</Button>
      </div>
      {error && (
        <div class="small" role="alert">
          <p><strong>{error.exception}</strong>: {error.message}{error.requestId && <span class="mono"> ({error.requestId})</span>}</p>
          <p>{nextStep(error)}</p>
        </div>
      )}
    </div>
  );
}
