import type { StreamInfo } from "../../api/types.ts";
import { number, retention, span, t } from "../../app/i18n.ts";
import { Link } from "../../app/link.tsx";
import { serverNow } from "../../app/now.ts";
import type { Watched } from "../../streams/health-watch.ts";
import { StateWords } from "../../streams/state-words.tsx";
import type { Thumbnail } from "../../streams/thumbnails.ts";
import { isHealth, mediaWords, rateWords } from "../../streams/words.ts";
import { Check } from "../../ui/field.tsx";
import { Sparkline } from "../../ui/sparkline.tsx";
import { Tag } from "../../ui/states.tsx";

/** A picture older than this says so. */
const AGE_WORTH_TELLING_MS = 60_000;
const TAGS_SHOWN = 3;

interface RowProps {
  stream: StreamInfo;
  index: number;
  top: number;
  height: number;
  watched: Watched | undefined;
  thumbnail: Thumbnail | undefined;
  tags: Record<string, string> | undefined;
  isCursor: boolean;
  isSelected: boolean;
  onSelect: (isSelected: boolean) => void;
  onOpen: () => void;
}

export function StreamRow(props: RowProps) {
  const { stream, index, watched, thumbnail, tags, isCursor, isSelected } = props;
  const health = isHealth(watched?.entry) ? watched.entry : undefined;
  const media = health ? mediaWords(health) : "";
  const rate = health ? rateWords(health) : "";
  const isGoing = stream.Status === "DELETING";
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      class={`stream-grid stream-row${isCursor ? " is-cursor" : ""}${isSelected ? " is-selected" : ""}`}
      style={{ top: `${props.top}px`, blockSize: `${props.height}px` }}
      onClick={(event) => {
        if ((event.target as HTMLElement).closest("a, label, input")) return;
        props.onOpen();
      }}
    >
      <span role="cell" class="col-check">
        <Check isBare label={t("select", { name: stream.StreamName })} checked={isSelected} onChange={props.onSelect} />
      </span>
      <span role="cell" class="stream-pic"><Picture thumbnail={thumbnail} /></span>
      <span role="cell" class="col-name ellipsis">
        <Link to={{ page: "stream", name: stream.StreamName }} class="name" title={stream.StreamName}>
          {stream.StreamName}
        </Link>
        {stream.DeviceName && <span class="muted small"> {stream.DeviceName}</span>}
      </span>
      <span role="cell" class="col-state ellipsis">
        {isGoing ? <span class="muted">{t("state.deleting")}</span> : <StateWords entry={watched?.entry} />}
      </span>
      <span role="cell" class="col-media ellipsis muted small" title={media}>
        {media || (health?.State === "SILENT" && t("state.silentMore"))}
      </span>
      <span role="cell" class="col-rate end">{rate}</span>
      <span role="cell" class="col-spark stream-spark">
        {watched?.rates && <Sparkline values={watched.rates} label={t("spark.rate")} />}
      </span>
      <span role="cell" class="col-kept end">{retention(stream.DataRetentionInHours)}</span>
      <span role="cell" class="col-tags stream-tags">
        {Object.entries(tags ?? {}).slice(0, TAGS_SHOWN).map(([key, value]) => (
          <Tag key={key} title={`${key}=${value}`}>{key === "site" ? value : value ? `${key}=${value}` : key}</Tag>
        ))}
      </span>
      <span role="cell" class="col-viewers end muted">{health && health.Viewers > 0 && number(health.Viewers)}</span>
    </div>
  );
}

function Picture({ thumbnail }: { thumbnail: Thumbnail | undefined }) {
  if (!thumbnail?.url) return null;
  const age = thumbnail.atMs === null ? 0 : serverNow.value - thumbnail.atMs;
  return (
    <>
      <img src={thumbnail.url} alt="" />
      {age > AGE_WORTH_TELLING_MS && <span class="age">{span(age)}</span>}
    </>
  );
}
