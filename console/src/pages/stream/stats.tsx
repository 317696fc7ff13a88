import type { StreamHealth } from "../../api/types.ts";
import { bitRate, number, t } from "../../app/i18n.ts";
import { clock } from "../../app/session.ts";
import type { Facts } from "../../player/engine.ts";
import type { PlaybackState } from "../../player/playback.ts";
import { Button } from "../../ui/button.tsx";
import { copy, useCopied } from "../../ui/copy.ts";
import { Sparkline } from "../../ui/sparkline.tsx";

interface StatsProps {
  state: PlaybackState;
  facts: Facts | null;
  health: StreamHealth | undefined;
  name: string;
}

/** A camera's clock further behind than this, or ahead at all, says nothing about delay. */
const SANE_DELAY_MS = 2000;

/** Honest numbers behind the badge. */
export function Stats({ state, facts, health, name }: StatsProps) {
  const [isCopied, setCopied] = useCopied();
  const seconds = (ms: number | null | undefined, digits = 2) =>
    ms === null || ms === undefined ? "–" : t("unit.seconds", { n: number(ms / 1000, digits) });
  const skew = health?.ClockSkewMilliseconds;
  const rows: [string, string][] = [
    [t("stats.transport"), facts?.transport ?? "–"],
    [t("stats.delay"), seconds(state.delayMs)],
    [t("stats.source"), skew === null || skew === undefined ? "–"
      : skew > 0 || skew < -SANE_DELAY_MS ? t("stats.clockOff", { n: number(skew / 1000, 1) }) : seconds(-skew)],
    [t("stats.buffer"), facts ? t("unit.seconds", { n: number(facts.ahead, 2) }) : "–"],
    [t("stats.rate"), facts ? `${number(facts.rate, 2)}×` : "–"],
    [t("stats.dropped"), facts ? t("stats.of", { n: number(facts.dropped), of: number(facts.decoded) }) : "–"],
    [t("stats.size"), facts?.width ? `${facts.width}×${facts.height}` : "–"],
    [t("stats.bits"), health?.BitsPerSecond ? bitRate(health.BitsPerSecond) : facts?.bitsPerSecond ? bitRate(facts.bitsPerSecond) : "–"],
    [t("stats.clock"), `${number(clock.offsetMs)} ± ${number(clock.errorMs)} ms`],
  ];
  const report = () => [
    `Streamkeep console, ${name}, ${new Date(clock.now()).toISOString()}`,
    ...rows.map(([label, value]) => `${label}: ${value}`),
    `${t("stats.history")}: ${state.delays.map((ms) => (ms === null ? "-" : (ms / 1000).toFixed(2))).join(" ")}`,
    navigator.userAgent,
  ].join("\n");
  return (
    <div class="over stats">
      <dl>{rows.map(([label, value]) => <><dt>{label}</dt><dd>{value}</dd></>)}</dl>
      {state.isLive && (
        <>
          <span class="small">{t("stats.history")}</span>
          <div class="stats-chart"><Sparkline values={state.delays} slots={120} label={t("stats.history")} /></div>
        </>
      )}
      <Button isSmall icon={isCopied ? "check" : "copy"} onClick={() => void copy(report()).then(setCopied)}>
        {t(isCopied ? "copied" : "stats.copy")}
      </Button>
    </div>
  );
}
