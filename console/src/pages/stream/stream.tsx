import { useEffect, useMemo, useState } from "preact/hooks";
import type { Api } from "../../api/operations.ts";
import type { StreamInfo } from "../../api/types.ts";
import { isOnline } from "../../app/connection.ts";
import { t } from "../../app/i18n.ts";
import { Link } from "../../app/link.tsx";
import { useLoad } from "../../app/load.ts";
import { later } from "../../app/later.tsx";
import { go, query, setQuery } from "../../app/router.ts";
import { DeleteDialog } from "../../streams/delete-dialog.tsx";
import { RetentionDialog } from "../../streams/retention-dialog.tsx";
import { StateWords } from "../../streams/state-words.tsx";
import { TagsDialog } from "../../streams/tags-dialog.tsx";
import { isHealth, mediaWords, rateWords } from "../../streams/words.ts";
import { Menu } from "../../ui/menu.tsx";
import { Empty, ErrorBox, Skeleton } from "../../ui/states.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Details } from "./details.tsx";
import { HealthPanel } from "./health.tsx";
import { useHealth } from "./use-health.ts";
import { Lab } from "./lab.tsx";
import { Player, type PlayerHandle } from "./player.tsx";
import { TimelineSlot } from "./timeline-slot.tsx";
import "./stream.css";

type Open = "tags" | "retention" | "delete" | null;
type Tab = "health" | "fragments" | "details" | "lab";

const TABS: readonly Tab[] = ["health", "fragments", "details", "lab"];
const Fragments = later(() => import("./fragments.tsx"));

/** How long the player waits to be told the state of the stream. */
const HEALTH_WAIT_MS = 500;

export default function StreamPage({ api, name }: { api: Api; name: string }) {
  const described = useLoad((signal) => api.describeStream(name, signal), [name]);
  const tags = useLoad((signal) => api.listTags(name, signal), [name]);
  const watched = useHealth(api, name);
  const health = isHealth(watched?.entry) ? watched.entry : undefined;
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), HEALTH_WAIT_MS);
    return () => clearTimeout(timer);
  }, []);
  const [open, setOpen] = useState<Open>(null);
  const tab = TABS.find((one) => one === query.value["tab"]) ?? "health";
  const handle = useMemo<PlayerHandle>(() => ({ seek: () => {}, playUrl: () => {} }), []);
  const [playhead, setPlayhead] = useState<{ wallMs: number | null; isLive: boolean }>({ wallMs: null, isLive: true });

  if (described.error && !described.value) {
    if (described.error.isNotFound) {
      return (
        <Empty icon="video" title={t("stream.gone", { name })}>
          <p>{t("stream.goneText")}</p>
          <Link class="button" to={{ page: "streams" }}>{t("place.streams")}</Link>
        </Empty>
      );
    }
    return (
      <div class="page">
        <ErrorBox title={t("stream.error", { name })} error={described.error} onRetry={described.reload} />
      </div>
    );
  }
  const stream = described.value;
  // Whether something is connected decides what is opened; an unknown state does not hold it up.
  if (!stream || (!watched && !isLate)) return <div class="page"><Skeleton height="28px" width="240px" /><Skeleton height="320px" /></div>;

  const one: StreamInfo[] = [stream];
  const close = () => setOpen(null);
  const done = () => {
    close();
    described.reload();
    tags.reload();
  };
  const canWrite = isOnline.value;
  const media = health ? [mediaWords(health), rateWords(health), gopWords(health.KeyFrameIntervalMilliseconds)].filter(Boolean).join(" · ") : "";
  return (
    <div class="stream-page">
      <header class="stream-head">
        <h1 class="ellipsis" title={name}>{name}</h1>
        <StateWords entry={watched?.entry} />
        {media && <span class="muted stream-media">{media}</span>}
        <span class="grow" />
        <Menu button={{ icon: "more", label: t("more") }} items={[
          { label: t("tags.verb"), icon: "tag", disabled: !canWrite, onChoose: () => setOpen("tags") },
          { label: t("retention.verb"), icon: "clock", disabled: !canWrite, onChoose: () => setOpen("retention") },
          { label: t("delete.verb"), icon: "trash", isDanger: true, disabled: !canWrite, onChoose: () => setOpen("delete") },
        ]} />
      </header>
      <div class="stream-layout">
        <div class="stream-main">
          <Player api={api} stream={stream} health={health} handle={handle} onPlayhead={setPlayhead} />
          <TimelineSlot api={api} stream={name} playhead={playhead} siteZone={tags.value?.["streamkeep:timezone"]}
            onSeek={(wallMs) => handle.seek(wallMs)} />
        </div>
        <aside class="stream-side panel">
          <Tabs label={t("stream.tabs")} chosen={tab} tabs={TABS.map((id) => ({ id, label: t(`tab.${id}`) }))}
            onChoose={(id) => setQuery({ tab: id === "health" ? undefined : id })}>
            {tab === "health" && <HealthPanel watched={watched} />}
            {tab === "fragments" && (
              <Fragments key={name} api={api} stream={stream} siteZone={tags.value?.["streamkeep:timezone"]} playhead={playhead.wallMs}
                onShow={(wallMs) => handle.seek(wallMs)} />
            )}
            {tab === "details" && <Details stream={stream} tags={tags} onOpen={setOpen} />}
            {tab === "lab" && <Lab api={api} stream={stream} playhead={playhead.wallMs} onPlay={(url, kind) => handle.playUrl(url, kind)} />}
          </Tabs>
        </aside>
      </div>
      {open === "tags" && <TagsDialog api={api} streams={one} onDone={done} onClose={close} />}
      {open === "retention" && <RetentionDialog api={api} streams={one} onDone={done} onClose={close} />}
      {open === "delete" && <DeleteDialog api={api} streams={one} onDone={() => go({ page: "streams" })} onClose={close} />}
    </div>
  );
}

function gopWords(ms: number | null): string {
  return ms ? t("stream.gop", { n: (ms / 1000).toFixed(1) }) : "";
}
