import type { ComponentChildren } from "preact";
import { asCurl } from "../../api/command.ts";
import type { Api } from "../../api/operations.ts";
import type { DiskHealth, Problem, ServerHealth } from "../../api/types.ts";
import { type Key, bytes, dateTime, number, span, t, tn } from "../../app/i18n.ts";
import { useLoad } from "../../app/load.ts";
import { serverNow } from "../../app/now.ts";
import { clock } from "../../app/session.ts";
import { Button } from "../../ui/button.tsx";
import { copy, useCopied } from "../../ui/copy.ts";
import { Icon } from "../../ui/icon.tsx";
import { Sparkline } from "../../ui/sparkline.tsx";
import { ErrorBox, Notice, Skeleton } from "../../ui/states.tsx";
import {
  type Tone, certificateWords, fullAt, isEarly, latencyTone, latencyWords, outlook, perSecond, shares, staleMs,
} from "./words.ts";
import "./health.css";

const EVERY_MS = 5000;
const SYNC_MS_MAX = 1000;
const ACK_MS_MAX = 2500;
const HISTORY_STEPS = 96;
const CERTIFICATE_DAYS_WARN = 14;

/** What an administrator needs to know: what is wrong, whether the disk is enough, and what is going on. */
export default function HealthPage({ api }: { api: Api }) {
  const { value: health, error, reload } = useLoad((signal) => api.getServerHealth(signal), [], { everyMs: EVERY_MS });
  return (
    <div class="page health-page">
      <div class="row wrap">
        <h1 class="grow">{t("place.health")}</h1>
        <CopyCurl api={api} />
      </div>
      {health ? <Figures health={health} hasFailed={error !== undefined} />
        : !error && <div class="stack" aria-busy="true">{[0, 1, 2].map((n) => <Skeleton key={n} height="96px" />)}</div>}
      {error && !health && <ErrorBox title={t("server.error")} error={error} onRetry={reload} />}
    </div>
  );
}

function CopyCurl({ api: { client } }: { api: Api }) {
  const [isCopied, setCopied] = useCopied();
  const line = () => asCurl(`${client.base}/streamkeep/getServerHealth`, client.region, {});
  return (
    <Button isSmall look="quiet" icon={isCopied ? "check" : "copy"} onClick={() => void copy(line()).then(setCopied)}>
      {t(isCopied ? "copied" : "lab.curl")}
    </Button>
  );
}

function Figures({ health, hasFailed }: { health: ServerHealth; hasFailed: boolean }) {
  const now = serverNow.value;
  const stale = staleMs(health, now, hasFailed);
  const { Store, Ingest, Playback, Decoders, Deliveries, Certificate } = health;
  const certificateDays = Certificate ? (Certificate.NotAfter * 1000 - now) / 86_400_000 : null;
  const queued = Store.QueuedBytesMax > 0 ? Store.QueuedBytes / Store.QueuedBytesMax : 0;
  return (
    <div class={`health-figures${stale === null ? "" : " is-stale"}`}>
      {stale !== null && <Notice kind="warn">{t("server.stale", { span: span(stale) })}</Notice>}
      <Problems problems={health.Problems} now={now} />
      {health.Disk ? <Disk disk={health.Disk} now={now} /> : null}
      <p class="small muted">{t("server.window", { span: span(health.WindowSeconds * 1000) })}</p>
      <div class="health-panels">
        <Panel title={t("server.ingest")}>
          <Figure name={t("place.streams")}>{number(Ingest.Streams)}</Figure>
          <Figure name={t("state.live")} normal={t("server.liveNormal")}>{number(Ingest.Live)}</Figure>
          <Figure name={t("state.silent")} normal={t("server.silentNormal")} tone={Ingest.Silent > 0 ? "warn" : "ok"}>{number(Ingest.Silent)}</Figure>
          <Figure name={t("state.refused")} normal={t("server.zeroNormal")} tone={Ingest.Refused > 0 ? "bad" : "ok"}>{number(Ingest.Refused)}</Figure>
          <Figure name={t("server.sessions")}>{number(Ingest.Sessions)}</Figure>
          <Figure name={t("server.fragments")}>{number(Ingest.FragmentsPerSecond, 1)}/s</Figure>
          <Figure name={t("server.persisted")} normal={t("server.persistedNormal")} tone={latencyTone(Ingest.PersistedAck, ACK_MS_MAX)}>
            {latencyWords(Ingest.PersistedAck)}
          </Figure>
          <Figure name={t("server.errorAcks")} normal={t("server.zeroNormal")} tone={Ingest.ErrorAcks > 0 ? "warn" : "ok"}>{number(Ingest.ErrorAcks)}</Figure>
          <Figure name={t("server.callsRefused")} normal={t("server.zeroNormal")} tone={Ingest.CallsRefused > 0 ? "warn" : "ok"}>{number(Ingest.CallsRefused)}</Figure>
        </Panel>
        <Panel title={t("server.store")}>
          <Figure name={t("column.state")} tone={Store.State === "OK" ? "ok" : Store.State === "DEGRADED" ? "warn" : "bad"}>
            {t(`server.store.${Store.State}`)}
          </Figure>
          <Figure name={t("server.sync")} normal={t("server.syncNormal")} tone={latencyTone(Store.Sync, SYNC_MS_MAX)}>{latencyWords(Store.Sync)}</Figure>
          <Figure name={t("server.syncs")}>{number(Store.SyncsPerSecond, 1)}/s</Figure>
          <Figure name={t("server.queued")} normal={t("server.queuedNormal")} tone={queued > 0.75 ? "bad" : queued > 0.5 ? "warn" : "ok"}>
            {bytes(Store.QueuedBytes)} <span class="muted">/ {bytes(Store.QueuedBytesMax)}</span>
          </Figure>
          <Figure name={t("server.writeFailures")} normal={t("server.zeroNormal")} tone={Store.WriteFailures > 0 ? "bad" : "ok"}>{number(Store.WriteFailures)}</Figure>
          <Figure name={t("server.damagedReads")} normal={t("server.zeroNormal")} tone={Store.DamagedReads > 0 ? "bad" : "ok"}>{number(Store.DamagedReads)}</Figure>
        </Panel>
        <Panel title={t("server.playback")}>
          <Figure name={t("health.viewers")}>{number(Playback.GetMediaConnections)}</Figure>
          <Figure name={t("server.tiles")}>{number(Playback.OpenLiveTiles)}</Figure>
          <Figure name={t("server.connections")}>{number(Playback.Connections)}</Figure>
          <Figure name={t("server.requests")}>{number(Playback.RequestsPerSecond, 1)}/s</Figure>
          <Figure name={t("server.sent")}>{perSecond(Playback.SentBytesPerSecond)}</Figure>
        </Panel>
        <Panel title={t("server.decoders")}>
          <Figure name={t("server.workers")} normal={t("server.workersNormal")}>{number(Decoders.Workers)} <span class="muted">/ {number(Decoders.WorkersMax)}</span></Figure>
          <Figure name={t("server.busy")}>{number(Decoders.Busy)}</Figure>
          <Figure name={t("server.jobs")} normal={t("server.jobsNormal")}>{number(Decoders.Waiting)}</Figure>
          <Figure name={t("server.lost")} normal={t("server.zeroNormal")} tone={Decoders.Lost > 0 ? "warn" : "ok"}>{number(Decoders.Lost)}</Figure>
        </Panel>
        <Panel title={t("server.deliveries")}>
          <Figure name={t("server.waiting")} normal={t("server.jobsNormal")}>{number(Deliveries.Waiting)}</Figure>
          <Figure name={t("server.dead")} normal={t("server.zeroNormal")} tone={Deliveries.Dead > 0 ? "warn" : "ok"}>{number(Deliveries.Dead)}</Figure>
          <Figure name={t("server.delivered")}>{number(Deliveries.Delivered)}</Figure>
        </Panel>
        <Panel title={t("settings.server")}>
          <Figure name={t("details.version")}>{health.Version}</Figure>
          <Figure name={t("server.started")}>{dateTime(health.StartTimestamp * 1000)} <span class="muted">· {span(now - health.StartTimestamp * 1000)}</span></Figure>
          <Figure name={t("server.certificate")} normal={Certificate ? t("server.certificateNormal") : undefined}
            tone={certificateDays === null ? "none" : certificateDays <= 0 ? "bad" : certificateDays < CERTIFICATE_DAYS_WARN ? "warn" : "ok"}>
            {Certificate ? certificateWords(Certificate.NotAfter, now) : t("server.noTls")}
          </Figure>
          <Figure name={t("settings.clock")} normal={t("server.clockNormal")}>
            {dateTime(now)} <span class="muted">· {t("settings.offset", { n: number(clock.offsetMs / 1000, 3), e: number(clock.errorMs) })}</span>
          </Figure>
        </Panel>
      </div>
    </div>
  );
}

function Problems({ problems, now }: { problems: readonly Problem[]; now: number }) {
  if (problems.length === 0) return <Notice kind="ok">{t("server.well")}</Notice>;
  return (
    <section aria-label={t("server.problems")}>
      <h2>{tn("server.problemCount", problems.length)}</h2>
      <ul class="health-problems">
        {problems.map(({ Severity, What, Text, Since }) => (
          <li key={`${What} ${Text}`} class={Severity === "CRITICAL" ? "is-bad" : "is-warn"}>
            <Icon name="warning" />
            <div class="grow">
              <h3>
                {titleOf(What)}{" "}
                <span class="small muted">{t(`server.severity.${Severity}`)} · {t("server.since", { span: span(now - Since * 1000) })}</span>
              </h3>
              <p>{todoOf(What)}</p>
              <p class="small muted" lang="en">{What}: {Text}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A newer server may know more problems than this page: its own words stand then. */
function titleOf(what: Problem["What"]): string {
  const key: Key = `problem.${what}`;
  const text = t(key);
  return text === key ? what : text;
}

function todoOf(what: Problem["What"]): string {
  const key: Key = `problem.${what}.do`;
  const text = t(key);
  return text === key ? "" : text;
}

function Disk({ disk, now }: { disk: DiskHealth; now: number }) {
  const { words, tone } = outlook(disk);
  const at = fullAt(disk, now);
  const share = shares(disk);
  const history = disk.History;
  const over = span(history.StoredBytesPerSecond.length * history.StepSeconds * 1000);
  return (
    <section class="panel health-disk" aria-label={t("server.disk")}>
      <h2>{t("server.disk")}</h2>
      <p class={`health-outlook tone-${tone}`}>
        <strong>{words}</strong>
        {at !== null && <span class="muted"> {t("server.fullAt", { time: dateTime(at) })}</span>}
      </p>
      <p class="small muted">{isEarly(disk) ? t("server.early", { span: span(disk.DaySeconds * 1000) }) : t("server.outlookNormal")}</p>
      <div class="health-bar" role="img"
        aria-label={t("server.shares", { footage: number(share.footage), other: number(share.other), free: number(share.free) })}>
        <span class="is-footage" style={{ inlineSize: `${share.footage}%` }} />
        <span class="is-other" style={{ inlineSize: `${share.other}%` }} />
        <span class="is-free" style={{ inlineSize: `${Math.max(0, share.free - share.reserve)}%` }} />
        <span class="is-reserve" style={{ inlineSize: `${share.reserve}%` }} />
      </div>
      <dl class="health-facts">
        <Figure name={t("server.free")} normal={t("server.freeNormal", { size: bytes(disk.RefuseBelowBytes) })}
          tone={disk.AvailableBytes < disk.RefuseBelowBytes ? "bad" : "ok"}>
          {bytes(disk.AvailableBytes)} <span class="muted">/ {bytes(disk.TotalBytes)}</span>
        </Figure>
        <Figure name={t("server.footage")}>
          {disk.FootageBytes === null ? "–" : bytes(disk.FootageBytes)}
          {disk.FootageVolumes !== null && <span class="muted"> · {tn("server.volumes", disk.FootageVolumes)}</span>}
        </Figure>
        <Figure name={t("server.comes")} normal={t("server.comesNormal", { span: span(disk.DaySeconds * 1000) })}>
          {disk.DayStoredBytesPerSecond === null ? "–" : perSecond(disk.DayStoredBytesPerSecond)}
        </Figure>
        <Figure name={t("server.lately")}>
          {perSecond(disk.StoredBytesPerSecond)} <span class="muted">· {t("server.written", { rate: perSecond(disk.WrittenBytesPerSecond) })}</span>
        </Figure>
        <Figure name={t("server.frees")} normal={t("server.freesNormal")}>
          {disk.FreedWithinDayBytes === null ? "–" : t("server.freesDay", { size: bytes(disk.FreedWithinDayBytes) })}
          {disk.FreedWithinWeekBytes !== null && <> · {t("server.freesWeek", { size: bytes(disk.FreedWithinWeekBytes) })}</>}
        </Figure>
      </dl>
      {history.StoredBytesPerSecond.length > 1 && (
        <figure class="stack">
          <figcaption class="small muted">{t("server.history", { span: over })}</figcaption>
          <div class="health-history"><Sparkline values={history.StoredBytesPerSecond} slots={HISTORY_STEPS} label={t("server.history", { span: over })} /></div>
        </figure>
      )}
    </section>
  );
}

function Panel({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="panel health-panel"><h2>{title}</h2><dl class="health-facts">{children}</dl></section>;
}

interface FigureProps {
  name: string;
  /** What is normal, as a few words. */
  normal?: string | undefined;
  tone?: Tone;
  children: ComponentChildren;
}

function Figure({ name, normal, tone = "none", children }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={`tone-${tone}`}>
        <span>{children}</span>
        {normal && <span class="health-normal small muted">{normal}</span>}
      </dd>
    </div>
  );
}
