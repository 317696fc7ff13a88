import { useEffect, useState } from "preact/hooks";
import { meaningOfText } from "../../app/understood.ts";
import { clock, date } from "../../time/format.ts";
import { EN } from "../../time/words.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";

interface TimeFieldProps {
  label: string;
  value: number;
  zone: string;
  now: () => number;
  onChange: (at: number) => void;
}

/** An instant that can be written anew in any form that the time box takes. */
export function TimeField({ label, value, zone, now, onChange }: TimeFieldProps) {
  const [text, setText] = useState<string | null>(null);
  // It was changed from elsewhere.
  useEffect(() => setText(null), [value, zone]);
  const meaning = text === null ? null : meaningOfText(text, { now: now(), zone, shown: value });
  const take = (at: number | null) => {
    if (at === null) return;
    setText(null);
    onChange(at);
  };
  return (
    <div class="time-field"
      onKeyDown={(event) => {
        if (event.key === "Enter" && meaning) {
          event.preventDefault();
          take(meaning.at);
        }
        if (event.key === "Escape" && text !== null) {
          setText(null);
          event.stopPropagation();
        }
      }}
      onFocusOut={(event) => {
        // Not while one of two meanings is chosen.
        if (event.currentTarget.contains(event.relatedTarget as Node | null) || !meaning) return;
        if (meaning.at !== null) take(meaning.at);
        else setText(null);
      }}>
      <TextField label={label} value={text ?? `${date(value, zone, EN)} ${clock(value, zone, "ms")}`} isMono onInput={setText}
        hint={meaning && !meaning.isFault ? meaning.words : undefined} fault={meaning?.isFault ? meaning.words : undefined} />
      {meaning && meaning.choices.length > 0 && (
        <div class="row wrap">
          {meaning.choices.map((one) => <Button key={one.at} isSmall onClick={() => take(one.at)}>{one.label}</Button>)}
        </div>
      )}
    </div>
  );
}
