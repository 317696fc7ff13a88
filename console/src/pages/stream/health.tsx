import type { ComponentChildren } from "preact";
import type { AckTimes, StreamHealth } from "../../api/types.ts";
import { bitRate, bytes, dateTime, number, span, t } from "../../app/i18n.ts";
import { serverNow } from "../../app/now.ts";
import type { Watched } from "../../streams/health-watch.ts";
import { StateWords } from "../../streams/state-words.tsx";
import { isHealth } from "../../streams/words.ts";
import { Sparkline } from "../../ui/sparkline.tsx";
import { Notice, Skeleton } from "../../ui/states.tsx";

/** A camera's clock further off than this confuses whoever reads times. */
const SKEW_WORTH_WARNING_MS = 2000;

export function HealthPanel({ watched }: { watched: Watched | undefined }) {
  if (!watched) return <div class="stack"><Skeleton height="20px" /><Skeleton height="20px" /><Skeleton height="20px" /></div>;
  if (!isHealth(watched.entry)) {
    return <Notice kind="bad">{watched.entry.Error?.Code}: {watched.entry.Error?.Message}</Notice>;
  }
  const health = watched.entry;
  const now = serverNow.value;
  return (
    <div class="stack">
      <dl class="facts-list">
        <Fact name={t("health.state")}><StateWords entry={health} /></Fact>
        <Fact name={t("health.session")}>
          {health.SessionSince !== null && span(now - health.SessionSince * 1000)}
          {health.Producer && <span class="muted"> · {health.Producer}</span>}
        </Fact>
        <Fact name={t("health.rate")}>
          {health.BitsPerSecond !== null && bitRate(health.BitsPerSecond)}
          {health.MinuteBitsPerSecond !== null && <span class="muted"> · {t("health.minute", { rate: bitRate(health.MinuteBitsPerSecond) })}</span>}
        </Fact>
        <Fact name={t("health.fragments")}>{fragmentWords(health)}</Fact>
        <Fact name={t("health.received")}>{ackWords(health.ReceivedAck)}</Fact>
        <Fact name={t("health.persisted")}>{ackWords(health.PersistedAck)}</Fact>
        <Fact name={t("health.clock")}>
          {health.ClockSkewMilliseconds !== null && (
            <span>{t("health.camera", { n: signed(health.ClockSkewMilliseconds / 1000) })}</span>
          )}
        </Fact>
        <Fact name={t("health.last")}>
          {health.LastFragment && t("health.ago", { span: span(now - health.LastFragment.ServerTimestamp * 1000) })}
        </Fact>
        <Fact name={t("health.viewers")}>{number(health.Viewers)}</Fact>
        <Fact name={t("health.error")}>
          {health.LastError ? (
            <>
              <strong>{health.LastError.ErrorId}</strong> {health.LastError.ErrorCode}{" "}
              <span class="muted">{dateTime(health.LastError.TimeStamp * 1000)}</span>
            </>
          ) : t("health.noError")}
        </Fact>
      </dl>
      {Math.abs(health.ClockSkewMilliseconds ?? 0) > SKEW_WORTH_WARNING_MS && (
        <Notice kind="warn">{t("health.skewed")}</Notice>
      )}
      {watched.rates && (
        <figure class="stack">
          <figcaption class="small muted">{t("spark.rate")}</figcaption>
          <div class="health-chart"><Sparkline values={watched.rates} label={t("spark.rate")} /></div>
        </figure>
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  const isNothing = children === false || children === null || children === "" ||
    (Array.isArray(children) && children.every((child) => !child));
  return <><dt>{name}</dt><dd>{isNothing ? <span class="muted">–</span> : children}</dd></>;
}

function fragmentWords(health: StreamHealth): string {
  const rate = health.MinuteFragmentsPerSecond ?? health.FragmentsPerSecond;
  if (!rate) return "";
  const seconds = 1 / rate;
  const bits = health.MinuteBitsPerSecond ?? health.BitsPerSecond;
  const size = bits ? ` · ${bytes((bits / 8) * seconds)}` : "";
  return `${t("unit.seconds", { n: number(seconds, 2) })}${size}`;
}

function ackWords(times: AckTimes | null): string {
  if (!times) return "";
  const digits = (ms: number) => number(ms, ms < 10 ? 1 : 0);
  return `p50 ${digits(times.P50Milliseconds)} · p99 ${digits(times.P99Milliseconds)} ms`;
}

function signed(seconds: number): string {
  const text = number(Math.abs(seconds), 1);
  return `${seconds < 0 ? "−" : "+"}${text}`;
}
