import { useEffect, useState } from "preact/hooks";
import { asCurl } from "../../api/command.ts";
import type { ApiError } from "../../api/error.ts";
import { type Api, CLIP_HEADERS, pathOf } from "../../api/operations.ts";
import { type Key, bytes, number, retention, t, tn } from "../../app/i18n.ts";
import { useLoad } from "../../app/load.ts";
import { clock as serverClock } from "../../app/session.ts";
import { timeWords } from "../../app/understood.ts";
import { type Cut, type Fault, type Inside, type Range, clipName, faultOf, isBeyondLimits } from "../../export/clip.ts";
import { type ExportJob, cancelExport, exportJobs, lookInside, request, retryExport, startExport } from "../../streams/exports.ts";
import { duration } from "../../time/format.ts";
import type { Gap } from "../../timeline/coverage.ts";
import { Button } from "../../ui/button.tsx";
import { copy, useCopied } from "../../ui/copy.ts";
import { SelectField } from "../../ui/field.tsx";
import { Icon } from "../../ui/icon.tsx";
import { rangeWords, reasonWords } from "./gap-words.ts";
import { TimeField } from "./time-field.tsx";

interface ExportPanelProps {
  api: Api;
  stream: string;
  range: Range;
  zone: string;
  onRange: (range: Range) => void;
  onClose: () => void;
  /** Makes the file: for the key of the page. */
  start: { current: (() => void) | null };
}

const FAULTS: Record<Fault, Key> = {
  order: "export.faultOrder", long: "export.faultLong", future: "export.faultFuture", nothing: "export.faultNothing",
};
const GAPS_SHOWN = 3;
/** Marks that are being dragged are looked at when they rest. */
const SETTLE_MS = 250;

/** What is marked, as a file. */
export function ExportPanel({ api, stream, range, zone, onRange, onClose, start }: ExportPanelProps) {
  const [cut, setCut] = useState<Cut>("exact");
  const [isCopied, setCopied] = useCopied();
  const now = () => serverClock.now();
  const shape = faultOf(range, now());
  const looked = useLoad(async (signal) => {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    signal.throwIfAborted();
    return lookInside(api, stream, range, now(), signal);
  }, [stream, range.from, range.to], { isOff: shape !== null });
  const inside = shape === null ? looked.value : undefined;
  const fault = faultOf(range, now(), inside);

  const make = () => {
    if (fault === null) void startExport(api, { stream, range, cut, inside: inside ?? null }, now);
  };
  start.current = make;
  useEffect(() => () => { start.current = null; }, [start]);

  const copyCurl = async () => {
    const { input, headers } = await request(api, { stream, range, cut }, inside ?? null);
    const target = await api.mediaTarget("GetClip", "GET_CLIP", stream);
    const line = asCurl(target.endpoint + pathOf("GetClip"), api.client.region, input, clipName(stream, range), headers);
    setCopied(await copy(line));
  };
  return (
    <section class="export-panel" aria-label={t("export.title")}>
      <div class="export-fields">
        <TimeField label={t("export.from")} value={range.from} zone={zone} now={now} onChange={(from) => onRange({ ...range, from })} />
        <TimeField label={t("export.to")} value={range.to} zone={zone} now={now} onChange={(to) => onRange({ ...range, to })} />
        <SelectField<Cut> label={t("export.cut")} value={cut} onChange={setCut}
          choices={[{ value: "exact", label: t("export.cutExact") }, { value: "fragments", label: t("export.cutFragments") }]} />
      </div>
      <p class="export-facts">
        <strong>{duration(Math.max(0, range.to - range.from), timeWords())}</strong>
        {inside && facts(inside).map((fact) => <span key={fact}> · {fact}</span>)} · MP4 <span class="muted">· {zone}</span>
      </p>
      {inside && <Gaps gaps={inside.gaps} zone={zone} />}
      {fault && <p class="export-fault" role="status"><Icon name="warning" />{t(FAULTS[fault])}</p>}
      {looked.error && !looked.value && shape === null && (
        <p class="muted small">{t("export.unknown", { name: looked.error.exception })}</p>
      )}
      {!fault && inside?.isArriving && <p class="muted small">{t("export.arriving")}</p>}
      {!fault && inside && isBeyondLimits(inside) && (
        <p class="muted small">{t("export.beyond", { header: Object.entries(CLIP_HEADERS.unlimited).flat().join(": ") })}</p>
      )}
      <p class="muted small">{t(cut === "exact" ? "export.exactHint" : "export.fragmentsHint")}</p>
      <div class="row wrap">
        <Button look="primary" icon="download" disabled={fault !== null} onClick={make}>{t("export.verb")}</Button>
        <Button icon={isCopied ? "check" : "copy"} disabled={fault !== null} onClick={() => void copyCurl().catch(() => {})}>
          {isCopied ? t("copied") : t("lab.curl")}
        </Button>
        <span class="grow" />
        <Button look="quiet" onClick={onClose}>{t("timeline.clearMarks")}</Button>
      </div>
    </section>
  );
}

function facts({ bytes: size, fragments, recordedMs }: Inside): string[] {
  if (size === null || fragments === null) return [t("export.recorded", { span: duration(recordedMs, timeWords()) })];
  return [t("export.bytes", { size: bytes(size) }), tn("export.fragments", fragments)];
}

function Gaps({ gaps, zone }: { gaps: readonly Gap[]; zone: string }) {
  if (gaps.length === 0) return null;
  const missing = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  return (
    <div class="export-gaps small" role="status">
      <Icon name="warning" />
      <div>
        <strong>{tn("export.gaps", gaps.length, { span: duration(missing, timeWords()) })}</strong>
        <ul>
          {gaps.slice(0, GAPS_SHOWN).map((gap) => (
            <li key={gap.from}>{rangeWords(gap.from, gap.to, zone)} {reasonWords(gap)}</li>
          ))}
          {gaps.length > GAPS_SHOWN && <li>{t("export.moreGaps", { n: number(gaps.length - GAPS_SHOWN) })}</li>}
        </ul>
      </div>
    </div>
  );
}

/** Files that are on their way or came, of whichever stream. */
export function ExportJobs({ api }: { api: Api }) {
  const jobs = exportJobs.value;
  if (jobs.length === 0) return null;
  return <ul class="export-jobs" aria-label={t("export.files")}>{jobs.map((job) => <Job key={job.id} api={api} job={job} />)}</ul>;
}

function Job({ api, job }: { api: Api; job: ExportJob }) {
  const { phase, name, received, total, error } = job;
  const isGoing = phase === "waiting" || phase === "loading";
  const size = phase === "done" ? bytes(received)
    : phase === "waiting" ? t("export.waiting")
    : total === null ? bytes(received) : t("progress", { done: bytes(received), of: bytes(total) });
  return (
    <li class="export-job">
      <div class="row">
        <Icon name={phase === "done" ? "check" : phase === "failed" ? "warning" : "download"} />
        <span class="mono ellipsis export-name" title={name}>{name}</span>
        {phase !== "failed" && <span class="export-size">{size}</span>}
        {phase === "failed" && <Button isSmall icon="retry" onClick={() => void retryExport(api, job, () => serverClock.now())}>{t("retry")}</Button>}
        {isGoing
          ? <Button isSmall onClick={() => cancelExport(job.id)}>{t("cancel")}</Button>
          : <Button isSmall look="quiet" icon="close" label={t("close")} onClick={() => cancelExport(job.id)} />}
      </div>
      {isGoing && <progress aria-label={name} max={total ?? undefined} value={phase === "loading" && total !== null ? received : undefined} />}
      <span class="visually-hidden" role="status">{phase === "done" ? t("export.done", { name }) : ""}</span>
      {error && (
        <div class="small" role="alert">
          <p><strong>{error.exception}</strong>: {error.message}{error.requestId && <span class="mono"> ({error.requestId})</span>}</p>
          <p>{nextStep(error)}</p>
        </div>
      )}
    </li>
  );
}

const NEXT: Record<string, Key> = {
  ResourceNotFoundException: "export.nextNothing",
  MissingCodecPrivateDataException: "player.noCodecData",
  InvalidCodecPrivateDataException: "export.nextDamaged",
  InvalidMediaFrameException: "export.nextDamaged",
  UnsupportedStreamMediaTypeException: "export.nextCodecs",
  ClientLimitExceededException: "export.nextLimit",
  ConnectionCut: "export.nextCut",
  NetworkError: "export.nextCut",
  QuotaExceededError: "export.nextDisk",
  NotAllowedError: "export.nextDisk",
  NoModificationAllowedError: "export.nextDisk",
};

/** What to try after an error. */
export function nextStep(error: ApiError): string {
  if (error.isDenied) return t("export.nextDenied", { action: `kinesisvideo:${error.operation}` });
  if (error.exception === "NoDataRetentionException") return t("player.noRetention", { none: retention(0) });
  return t(NEXT[error.exception] ?? "export.nextOther");
}
