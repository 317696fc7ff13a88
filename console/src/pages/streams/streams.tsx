import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import type { StreamInfo, StreamState } from "../../api/types.ts";
import { isOnline, reconnections } from "../../app/connection.ts";
import { type Key, number, t, tn } from "../../app/i18n.ts";
import { useKeys } from "../../app/keys.ts";
import { go, query, setQuery } from "../../app/router.ts";
import { CreateDialog } from "../../streams/create-dialog.tsx";
import { DeleteDialog } from "../../streams/delete-dialog.tsx";
import { HealthWatch } from "../../streams/health-watch.ts";
import { StreamList } from "../../streams/list.ts";
import { RetentionDialog } from "../../streams/retention-dialog.tsx";
import { TagCache } from "../../streams/tag-cache.ts";
import { TagsDialog } from "../../streams/tags-dialog.tsx";
import { Thumbnails } from "../../streams/thumbnails.ts";
import { STATE_KEYS, isHealth } from "../../streams/words.ts";
import { Button } from "../../ui/button.tsx";
import { Check, SelectField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { useIsPhone } from "../../ui/phone.ts";
import { Empty, ErrorBox, Skeleton } from "../../ui/states.tsx";
import { scrollFor, windowOf } from "../../ui/virtual.ts";
import { type SortKey, blame, choiceOf, choose, counts, needsHealth, sitesOf } from "./choose.ts";
import { FirstRun } from "./first-run.tsx";
import { MomentHint, useMoment } from "./moment.tsx";
import { OpenByName } from "./open-by-name.tsx";
import { StreamRow } from "./row.tsx";
import "./streams.css";

const ROW = 48;
const CARD = 84;
const HEAD = 33;
/** One call tells the health, and one the tags, of so many: short lists are known as a whole. */
const SWEPT_ALWAYS = 1000;
/** Nine pages of sixteen, as there are keys for. */
const WALL_STREAMS_MAX = 144;

const COLUMNS: { key: SortKey | null; label: Key; class: string }[] = [
  { key: "name", label: "column.name", class: "col-name" },
  { key: "state", label: "column.state", class: "col-state" },
  { key: null, label: "column.media", class: "col-media" },
  { key: "rate", label: "column.rate", class: "col-rate end" },
  { key: null, label: "column.history", class: "col-spark" },
  { key: "retention", label: "column.kept", class: "col-kept end" },
  { key: null, label: "column.tags", class: "col-tags" },
  { key: null, label: "column.viewers", class: "col-viewers end" },
];

type Open = "create" | "tags" | "retention" | "delete" | null;

export function Streams({ api }: { api: Api }) {
  const stores = useMemo(() => ({
    list: new StreamList(api), health: new HealthWatch(api), thumbnails: new Thumbnails(api), tags: TagCache.of(api),
  }), [api]);
  useEffect(() => () => Object.values(stores).forEach((store) => store.close()), [stores]);

  const list = stores.list.state.value;
  const health = stores.health.known.value;
  const tags = stores.tags.known.value;
  const written = choiceOf(query.value);
  const moment = useMoment(api, list.streams, written.text);
  const choice = moment ? { ...written, text: moment.rest } : written;
  const isFiltered = Boolean(choice.text || choice.site || choice.state || choice.codec);
  const byHealth = needsHealth(choice);
  const shown = useMemo(
    () => choose(list.streams, choice, health, tags),
    // Health changes often: it orders and filters only when the choice is about it.
    [list.streams, JSON.stringify(choice), byHealth ? health : null, choice.text || choice.site ? tags : null],
  );
  const isPhone = useIsPhone();
  const height = isPhone ? CARD : ROW;

  const [cursor, setCursor] = useState(-1);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [open, setOpen] = useState<Open>(null);
  const body = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const view = useView(body, list.isComplete || list.streams.length > 0);
  const headHeight = isPhone ? 0 : HEAD;
  const { first, end } = windowOf(shown.length, height, view.top - headHeight, view.height, 6);
  const rows = shown.slice(first, end);
  const names = rows.map(({ StreamName }) => StreamName).join("\n");

  useEffect(() => {
    const inView = names ? names.split("\n") : [];
    stores.health.want(inView);
    stores.tags.want(inView);
  }, [names, stores]);

  useEffect(() => {
    const isSwept = byHealth || list.streams.length <= SWEPT_ALWAYS;
    stores.health.sweep(isSwept ? list.streams.map(({ StreamName }) => StreamName) : []);
  }, [byHealth, list.streams, stores]);

  const [wantsSites, setWantsSites] = useState(false);
  const isAboutTags = choice.site !== "" || choice.text !== "" || wantsSites;
  const isTagged = isAboutTags || list.streams.length <= SWEPT_ALWAYS;
  useEffect(() => stores.tags.renew(), [stores]);
  useEffect(() => {
    stores.tags.sweep(isTagged ? list.streams.map(({ StreamName }) => StreamName) : []);
  }, [isTagged, list.streams, stores]);
  const sites = useMemo(() => sitesOf(tags), [tags]);
  const swept = stores.tags.swept.value;

  useEffect(() => {
    stores.thumbnails.want(rows.flatMap(({ StreamName: name }) => {
      const entry = health.get(name)?.entry;
      const at = isHealth(entry) ? entry.LastFragment?.ServerTimestamp : undefined;
      return at ? [{ name, at }] : [];
    }));
  }, [names, health, stores]);

  const back = reconnections.value;
  useEffect(() => {
    if (back === 0) return;
    void stores.list.load();
    stores.health.refresh();
  }, [back, stores]);

  useFirstFragment(list.streams, list.isComplete, health);

  const move = (to: number) => {
    const next = Math.min(Math.max(0, to), shown.length - 1);
    setCursor(next);
    const element = body.current;
    if (element) element.scrollTop = scrollFor(next, height, element.scrollTop, element.clientHeight - headHeight);
  };
  const toggle = (name: string, isOn: boolean) => {
    const next = new Set(selected);
    if (isOn) next.add(name);
    else next.delete(name);
    setSelected(next);
  };
  const at = shown[cursor];
  const chosen = useMemo(
    () => list.streams.filter(({ StreamName }) => selected.has(StreamName)), [list.streams, selected],
  );
  useKeys({
    "/": () => search.current?.focus(),
    j: () => move(cursor + 1),
    k: () => move(cursor - 1),
    ArrowDown: () => move(cursor + 1),
    ArrowUp: () => move(cursor - 1),
    Enter: () => { if (at) go({ page: "stream", name: at.StreamName }); },
    x: () => { if (at) toggle(at.StreamName, !selected.has(at.StreamName)); },
    w: () => toWall(chosen.length > 0 ? chosen : at ? [at] : []),
    n: () => setOpen("create"),
    Escape: () => setSelected(new Set()),
  });
  const close = () => setOpen(null);
  const done = () => {
    if (open === "delete") setSelected(new Set());
    close();
    void stores.list.load();
  };
  const canWrite = isOnline.value;
  const isEmpty = list.isComplete && list.streams.length === 0;

  if (list.error && list.streams.length === 0) {
    return list.error.isDenied
      ? <OpenByName error={list.error} onRetry={() => void stores.list.load()} />
      : <div class="centre"><ErrorBox title={t("list.error")} error={list.error} onRetry={() => void stores.list.load()} /></div>;
  }
  return (
    <div class="streams">
      {isEmpty ? <FirstRun api={api} onCreate={() => setOpen("create")} /> : (
        <>
          <div class="streams-head">
            <div class="page-head">
              <h1>{t("place.streams")}</h1>
              <span class="streams-count">{list.isComplete || list.streams.length > 0 ? <Counts streams={list.streams} shown={shown.length} isFiltered={isFiltered} found={counts(list.streams, health)} isLoading={!list.isComplete} swept={isAboutTags ? swept : null} /> : null}</span>
              <span class="grow" />
              <Button icon="plus" disabled={!canWrite} onClick={() => setOpen("create")}>{t("create.title")}</Button>
            </div>
            <div class="streams-bar">
              <div class="search">
                <Icon name="search" />
                <input ref={search} class="input" type="search" value={written.text} placeholder={t("list.search")}
                  aria-label={t("list.search")} spellcheck={false}
                  onKeyDown={(event) => {
                    if (event.key === "Escape") event.currentTarget.blur();
                    if (event.key !== "Enter" || event.isComposing) return;
                    if (moment) void moment.open();
                    else if (shown[0]) { event.currentTarget.blur(); move(0); }
                  }}
                  onInput={(event) => { setQuery({ q: event.currentTarget.value || undefined }); setCursor(-1); }} />
                {moment && <MomentHint moment={moment} />}
              </div>
              <span class="row" onFocusIn={() => setWantsSites(true)} onPointerDown={() => setWantsSites(true)}>
                <SelectField isBare label={t("list.site")} value={choice.site}
                  choices={[
                    { value: "", label: t("list.anySite") },
                    ...(choice.site === "" || sites.includes(choice.site) ? sites : [choice.site, ...sites]).map((value) => ({ value, label: value })),
                  ]}
                  onChange={(site) => setQuery({ site: site || undefined })} />
              </span>
              <SelectField isBare label={t("column.state")} value={choice.state}
                choices={[
                  { value: "", label: t("list.anyState") },
                  ...(Object.keys(STATE_KEYS) as StreamState[]).map((value) => ({ value, label: t(STATE_KEYS[value]) })),
                ]}
                onChange={(value) => setQuery({ state: value.toLowerCase() || undefined })} />
              <SelectField isBare label={t("list.codec")} value={choice.codec}
                choices={[{ value: "", label: t("list.anyCodec") }, { value: "H.264", label: "H.264" }, { value: "H.265", label: "H.265" }]}
                onChange={(codec) => setQuery({ codec: codec || undefined })} />
              {isPhone && (
                <SelectField isBare label={t("list.sort")} value={choice.sort}
                  choices={COLUMNS.flatMap(({ key, label }) => (key ? [{ value: key, label: t(label) }] : []))}
                  onChange={(sort) => setQuery({ sort: sort === "name" ? undefined : sort })} />
              )}
            </div>
            {list.error && <ErrorBox title={t("list.error")} error={list.error} onRetry={() => void stores.list.load()} />}
          </div>
          <div class="streams-body" ref={body} tabIndex={-1}>
            <div role="table" aria-label={t("place.streams")} aria-rowcount={shown.length + 1}>
              <div role="row" class="stream-grid streams-columns">
                <span role="columnheader">
                  <Check isBare label={t("selectAll")}
                    checked={shown.length > 0 && shown.every(({ StreamName }) => selected.has(StreamName))}
                    isMixed={selected.size > 0 && !shown.every(({ StreamName }) => selected.has(StreamName))}
                    onChange={(isOn) => setSelected(new Set(isOn ? shown.map(({ StreamName }) => StreamName) : []))} />
                </span>
                <span role="columnheader"><span class="visually-hidden">{t("column.picture")}</span></span>
                {COLUMNS.map(({ key, label, class: name }) => (
                  <span key={label} role="columnheader" class={name}
                    aria-sort={key && key === choice.sort ? (choice.isDescending ? "descending" : "ascending") : undefined}>
                    {key ? (
                      <button type="button" onClick={() => setQuery({ sort: nextSort(key, choice.sort, choice.isDescending) })}>
                        {t(label)}{key === choice.sort && <span aria-hidden="true">{choice.isDescending ? "↓" : "↑"}</span>}
                      </button>
                    ) : t(label)}
                  </span>
                ))}
              </div>
              <div role="rowgroup" class="streams-rows" style={{ blockSize: `${shown.length * height}px` }}>
                {rows.map((stream, offset) => {
                  const name = stream.StreamName;
                  const index = first + offset;
                  return (
                    <StreamRow key={name} stream={stream} index={index} top={index * height} height={height}
                      watched={health.get(name)} thumbnail={stores.thumbnails.known.value.get(name)} tags={tags.get(name)}
                      isCursor={index === cursor} isSelected={selected.has(name)}
                      onSelect={(isOn) => toggle(name, isOn)} onOpen={() => go({ page: "stream", name })} />
                  );
                })}
              </div>
            </div>
            {shown.length === 0 && (list.isLoading && !list.isComplete
              ? <div class="page">{[0, 1, 2, 3, 4, 5].map((n) => <Skeleton key={n} height="36px" />)}</div>
              : <NothingMatches streams={list.streams} choice={choice} health={health} tags={tags} />)}
          </div>
          {selected.size > 0 && (
            <div class="streams-selection" role="toolbar" aria-label={t("selection")}>
              <strong>{tn("selected", selected.size)}</strong>
              <Button icon="wall" disabled={chosen.length > WALL_STREAMS_MAX} onClick={() => toWall(chosen)}
                title={chosen.length > WALL_STREAMS_MAX ? t("list.wallMax", { n: number(WALL_STREAMS_MAX) }) : undefined}>{t("place.wall")}</Button>
              <Button icon="tag" disabled={!canWrite} onClick={() => setOpen("tags")}>{t("tags.verb")}</Button>
              <Button icon="clock" disabled={!canWrite} onClick={() => setOpen("retention")}>{t("retention.verb")}</Button>
              <Button icon="trash" look="danger" disabled={!canWrite} onClick={() => setOpen("delete")}>{t("delete.verb")}</Button>
              <span class="grow" />
              <Button look="quiet" onClick={() => setSelected(new Set())}>{t("selectNone")}</Button>
            </div>
          )}
        </>
      )}
      {open === "create" && (
        <CreateDialog api={api} onClose={close} onDone={(name) => go({ page: "stream", name })} />
      )}
      {open === "tags" && <TagsDialog api={api} streams={chosen} onDone={done} onClose={close} />}
      {open === "retention" && <RetentionDialog api={api} streams={chosen} onDone={done} onClose={close} />}
      {open === "delete" && <DeleteDialog api={api} streams={chosen} onDone={done} onClose={close} />}
    </div>
  );
}

function toWall(streams: readonly StreamInfo[]): void {
  if (streams.length === 0 || streams.length > WALL_STREAMS_MAX) return;
  go({ page: "wall", layout: "auto" }, { s: streams.map(({ StreamName }) => StreamName).join(",") });
}

/** Up, down, and by name again. */
function nextSort(key: SortKey, now: SortKey, isDescending: boolean): string | undefined {
  if (key !== now) return key === "name" ? undefined : key;
  if (!isDescending) return `-${key}`;
  return undefined;
}

interface CountsProps {
  streams: StreamInfo[];
  shown: number;
  isFiltered: boolean;
  found: Record<StreamState, number> | null;
  isLoading: boolean;
  /** How far the tags are read that the choice is about. */
  swept: { done: number; of: number } | null;
}

function Counts({ streams, shown, isFiltered, found, isLoading, swept }: CountsProps) {
  const parts = [
    isFiltered ? t("list.of", { n: number(shown), of: number(streams.length) }) : tn("list.count", streams.length),
  ];
  if (found) {
    for (const state of Object.keys(found) as StreamState[]) {
      if (found[state] > 0) parts.push(`${number(found[state])} ${t(STATE_KEYS[state])}`);
    }
  }
  if (isLoading) parts.push(t("loading"));
  else if (swept && swept.done < swept.of) parts.push(t("list.tagsRead", { done: number(swept.done), of: number(swept.of) }));
  return <>{parts.join(" · ")}</>;
}

type NothingProps = {
  streams: StreamInfo[];
  choice: ReturnType<typeof choiceOf>;
  health: Parameters<typeof blame>[2];
  tags: Parameters<typeof blame>[3];
};

function NothingMatches({ streams, choice, health, tags }: NothingProps) {
  const found = blame(streams, choice, health, tags);
  const what = found && {
    text: `“${choice.text}”`,
    site: `site = ${choice.site}`,
    state: choice.state && t(STATE_KEYS[choice.state]),
    codec: choice.codec,
  }[found.part];
  const names = { text: "q", site: "site", state: "state", codec: "codec" } as const;
  return (
    <Empty icon="search" title={t("list.nothing")}>
      {found && <p>{tn("list.without", found.count, { what: what ?? "" })}</p>}
      <div class="row">
        {found && <Button onClick={() => setQuery({ [names[found.part]]: undefined })}>{t("list.drop", { what: what ?? "" })}</Button>}
        <Button onClick={() => setQuery({ q: undefined, site: undefined, state: undefined, codec: undefined })}>{t("list.dropAll")}</Button>
      </div>
    </Empty>
  );
}

/** Where lists were left, by their query. */
const tops = new Map<string, number>();

/** How far the list is scrolled, and how much of it is seen. */
function useView(body: { current: HTMLDivElement | null }, isThere: boolean): { top: number; height: number } {
  const [view, setView] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = body.current;
    if (!element) return;
    const search = location.search;
    element.scrollTop = tops.get(search) ?? 0;
    let frame = 0;
    const look = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        tops.set(search, element.scrollTop);
        setView({ top: element.scrollTop, height: element.clientHeight });
      });
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [isThere]);
  return view;
}

/** Who watched an empty list sees the first stream when its first fragment arrives. */
function useFirstFragment(
  streams: StreamInfo[], isComplete: boolean, health: ReadonlyMap<string, { entry: Parameters<typeof isHealth>[0] }>,
): void {
  const wasEmpty = useRef(false);
  useEffect(() => {
    if (!isComplete) return;
    if (streams.length === 0) wasEmpty.current = true;
    const only = streams[0];
    if (!wasEmpty.current || streams.length !== 1 || !only) return;
    const entry = health.get(only.StreamName)?.entry;
    if (!isHealth(entry) || !entry.LastFragment) return;
    wasEmpty.current = false;
    go({ page: "stream", name: only.StreamName });
  }, [streams, isComplete, health]);
}
