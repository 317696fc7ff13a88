import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import { indexOf, isStreamName } from "../../streams/find.ts";
import { StreamList } from "../../streams/list.ts";
import { siteZone, waitForSiteZone } from "../../streams/site-zones.ts";
import { TagCache } from "../../streams/tag-cache.ts";
import { ownZone } from "../../time/zone.ts";
import { zoneChoice } from "../../time/zones.ts";
import { Icon, type IconName } from "../../ui/icon.tsx";
import { type Key, t } from "../i18n.ts";
import type { TypedAhead } from "../overlay.ts";
import { go, query, route } from "../router.ts";
import type { Query, Route } from "../routes.ts";
import { clock } from "../session.ts";
import { meaningOf } from "../understood.ts";
import { MOST, type Option, optionsFor, timeIn } from "./options.ts";
import "./palette.css";

const PAGES: { page: string; to: Route; label: Key; icon: IconName; keys: string }[] = [
  { page: "wall", to: { page: "wall", layout: "auto" }, label: "place.wall", icon: "wall", keys: "g w" },
  { page: "streams", to: { page: "streams" }, label: "place.streams", icon: "streams", keys: "g s" },
  { page: "health", to: { page: "settings", part: "health" }, label: "place.health", icon: "info", keys: "g h" },
  { page: "settings", to: { page: "settings", part: "" }, label: "place.settings", icon: "settings", keys: "" },
];
/** Their zones are asked for with a time in the text; of the others, when they are moved to. */
const ZONES_ASKED = 5;
const PAGE_ROWS = 8;

/** One line of the list: an instant is known only for a moment whose zone is. */
interface Row {
  id: string;
  option: Option;
  at: number | null;
  title: string;
  note: string;
  icon: IconName;
  keys: string;
}

interface PaletteProps {
  api: Api;
  typed: TypedAhead;
  onClose: () => void;
}

/** Streams, times and pages in one box: a combobox with a list (WAI-ARIA pattern). */
export default function Palette({ api, typed, onClose }: PaletteProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const listbox = useRef<HTMLDivElement>(null);
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  /** Enter was pressed before all streams were known. */
  const [isWaiting, setWaiting] = useState(false);
  const stores = useMemo(() => ({ list: new StreamList(api, { mayBeKept: true }), tags: TagCache.of(api) }), [api]);
  useEffect(() => () => stores.list.close(), [stores]);

  useLayoutEffect(() => {
    dialog.current?.showModal();
    if (input.current) {
      input.current.focus();
      // What is typed next goes on from here, drawn or not.
      input.current.value = typed.take();
      setText(input.current.value);
      setWaiting(typed.isEntered);
    }
    return () => dialog.current?.close();
  }, []);

  const { streams, isComplete, isLoading, error } = stores.list.state.value;
  // By tag too, once something is written: a call for a thousand streams.
  const isWritten = text.trim() !== "";
  useEffect(() => {
    if (isWritten && isComplete) stores.tags.sweep(streams.map(({ StreamName }) => StreamName));
  }, [isWritten, isComplete, streams, stores]);
  const { done, of } = stores.tags.swept.value;
  const isTagged = isWritten && of > 0 && done === of;
  // Once for all tags: an index of ten thousand streams takes a frame or two.
  const index = useMemo(() => indexOf(streams, isTagged ? stores.tags.known.peek() : undefined), [streams, isTagged]);
  const at = route.value;
  const here = at.page === "stream" ? at.name : null;
  const looked = Date.parse(query.value["t"] ?? "");
  // A site that has no zone is in the browser's: that is for the stream's tag to say.
  const choice = query.value["tz"] === undefined ? "site" : zoneChoice(query.value["tz"], "UTC");
  const now = clock.now();
  const around = {
    index, isComplete, here, now, zone: ownZone(),
    shown: here !== null && Number.isFinite(looked) ? looked : null,
    pages: PAGES.map(({ page, label }) => ({ page, label: t(label) })),
    zoneOf: (name: string) => siteZone(stores.tags, name, choice),
  };
  const options = optionsFor(text, around);
  const rows = options.flatMap((option) => rowsOf(option, now));
  const chosen = Math.min(active, rows.length - 1);
  const shown = rows[chosen];

  const moments = rows.filter(({ option }, n) => option.kind === "moment" && (n < ZONES_ASKED || n === chosen));
  const asked = moments.map(({ option }) => (option as { name: string }).name).join("\n");
  useEffect(() => {
    for (const name of asked.split("\n")) if (isStreamName(name)) void stores.tags.ask(name);
  }, [asked, stores]);

  const close = () => {
    dialog.current?.close();
    onClose();
  };
  const leave = (to: Route, with_: Query = {}) => {
    close();
    go(to, with_);
    // What had the focus is gone with its page.
    document.querySelector<HTMLElement>("main")?.focus();
  };
  const open = async (row: Row | undefined) => {
    if (!row) return;
    const { option } = row;
    const tz: Query = query.peek()["tz"] ? { tz: query.peek()["tz"] ?? "" } : {};
    if (option.kind === "page") {
      const page = PAGES.find(({ page }) => page === option.page);
      if (page) leave(page.to);
    } else if (option.kind === "stream") {
      leave({ page: "stream", name: option.name }, tz);
    } else if (row.at !== null) {
      leave({ page: "stream", name: option.name }, { t: new Date(row.at).toISOString(), ...tz });
    } else {
      // Enter came before the zone.
      const zone = await waitForSiteZone(stores.tags, option.name, choice);
      const meaning = meaningIn(text, zone, around);
      if (meaning.at !== null) leave({ page: "stream", name: option.name }, { t: new Date(meaning.at).toISOString(), ...tz });
    }
  };

  const move = (to: number) => setActive(rows.length === 0 ? 0 : (to + rows.length) % rows.length);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    switch (event.key) {
      case "ArrowDown": move(chosen + 1); break;
      case "ArrowUp": move(chosen - 1); break;
      case "PageDown": setActive(Math.min(rows.length - 1, chosen + PAGE_ROWS)); break;
      case "PageUp": setActive(Math.max(0, chosen - PAGE_ROWS)); break;
      case "Enter": setWaiting(true); break;
      case "k":
        if (!event.ctrlKey && !event.metaKey) return;
        close();
        break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  useEffect(() => {
    listbox.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [shown?.id]);

  const isSettled = isComplete || error !== undefined;
  useEffect(() => {
    if (!isWaiting || !isSettled) return;
    setWaiting(false);
    void open(shown);
  }, [isWaiting, isSettled]);

  const hint = hintOf();
  function hintOf(): string {
    if (shown) return shown.option.kind === "moment" ? t("palette.go", { what: `${shown.title}, ${shown.note}` }) : t("palette.go", { what: shown.title });
    if (text.trim() === "") return "";
    const split = timeIn(text.trim(), around);
    if (split?.rest === "") return t("palette.needsStream");
    if (isLoading && !isComplete) return t("loading");
    return t("palette.nothing", { text: split?.rest ?? text.trim() });
  }

  return (
    <dialog ref={dialog} class="dialog palette" aria-label={t("palette.title")}
      onCancel={(event) => { event.preventDefault(); close(); }}
      onMouseDown={(event) => { if (event.target === dialog.current) close(); }}>
      <div class="palette-field">
        <Icon name="search" />
        <input ref={input} class="palette-input" type="text" role="combobox" value={text} spellcheck={false} autocomplete="off"
          autocapitalize="off" aria-label={t("palette.title")} placeholder={t("palette.example")} aria-expanded={rows.length > 0}
          aria-controls={`${id}-list`} aria-autocomplete="list" aria-describedby={`${id}-hint`}
          aria-activedescendant={shown ? `${id}-${chosen}` : undefined}
          onInput={(event) => { setText(event.currentTarget.value); setActive(0); setWaiting(false); }} onKeyDown={onKeyDown} />
      </div>
      <div ref={listbox} class="palette-list" role="listbox" id={`${id}-list`} aria-label={t("palette.title")}>
        {rows.map((row, n) => (
          <div key={row.id} id={`${id}-${n}`} role="option" aria-selected={n === chosen} class="palette-row"
            onMouseMove={() => setActive(n)} onMouseDown={(event) => event.preventDefault()} onClick={() => void open(row)}>
            <Icon name={row.icon} />
            <span class="palette-title ellipsis">{row.title}</span>
            <span class="palette-note">{row.note}</span>
            {row.keys && <kbd class="kbd">{row.keys}</kbd>}
          </div>
        ))}
      </div>
      {options.length >= MOST && <p class="palette-more muted small">{t("palette.more")}</p>}
      {error && <p class="palette-more muted small">{t("palette.denied", { name: error.exception })}</p>}
      <p class="palette-hint small" id={`${id}-hint`} role="status">{hint}</p>
    </dialog>
  );
}

function meaningIn(text: string, zone: string, around: Parameters<typeof timeIn>[1]) {
  const time = timeIn(text.trim(), { ...around, zone })?.time;
  return meaningOf(time ?? { kind: "unreadable", why: "form" }, around.now);
}

/** An hour that exists twice is two lines. */
function rowsOf(option: Option, now: number): Row[] {
  if (option.kind === "page") {
    const page = PAGES.find(({ page }) => page === option.page);
    return page ? [{ id: option.page, option, at: null, title: t(page.label), note: "", icon: page.icon, keys: page.keys }] : [];
  }
  const { name } = option;
  if (option.kind === "stream") return [{ id: `stream ${name}`, option, at: null, title: name, note: "", icon: "video", keys: "" }];
  const row = { option, title: name, icon: "clock", keys: "" } as const;
  if (!option.understood) return [{ ...row, id: `moment ${name}`, at: null, note: "…" }];
  const meaning = meaningOf(option.understood, now);
  if (meaning.choices.length > 0) {
    return meaning.choices.map(({ at, label }) => ({ ...row, id: `moment ${name} ${at}`, at, note: `${label} · ${meaning.words}` }));
  }
  return meaning.at === null ? [] : [{ ...row, id: `moment ${name}`, at: meaning.at, note: meaning.words }];
}
