import type { HealthEntry } from "../api/types.ts";
import { serverNow } from "../app/now.ts";
import { t } from "../app/i18n.ts";
import { STATE_SIGNS, isHealth, stateWords } from "./words.ts";

/** The state with its sign and since when. */
export function StateWords({ entry }: { entry: HealthEntry | undefined }) {
  if (!entry) return <span class="muted">…</span>;
  if (!isHealth(entry)) {
    return <span class="muted ellipsis" title={entry.Error.Message}>{t("state.unknown")}</span>;
  }
  return (
    <span class={`state ${entry.State}`} title={entry.LastError && entry.State === "REFUSED" ? entry.LastError.ErrorCode : undefined}>
      <span class="sign" aria-hidden="true">{STATE_SIGNS[entry.State]}</span>
      <span class="word">{stateWords(entry, serverNow.value)}</span>
    </span>
  );
}
