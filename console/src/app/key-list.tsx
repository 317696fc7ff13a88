import { t } from "./i18n.ts";
import type { KeyRow } from "./key-table.ts";
import "./key-list.css";

export function KeyList({ rows }: { rows: readonly KeyRow[] }) {
  return (
    <dl class="keys">
      {rows.map(([keys, label]) => (
        <div key={label}>
          <dt>{keys.map((key) => <kbd key={key} class="kbd">{key}</kbd>)}</dt>
          <dd>{t(label)}</dd>
        </div>
      ))}
    </dl>
  );
}
