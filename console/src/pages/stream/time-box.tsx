import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../../app/i18n.ts";
import { meaningOfText } from "../../app/understood.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";

interface TimeBoxProps {
  zone: string;
  now: () => number;
  /** What is on screen: a time without a date is of that day. */
  shown: () => number | null;
  onGo: (atMs: number) => void;
  inputRef: RefObject<HTMLInputElement | null>;
}

/** Takes a time in any usual form, and shows what it understood before Enter. */
export function TimeBox({ zone, now, shown, onGo, inputRef }: TimeBoxProps) {
  const [text, setText] = useState("");
  const choices = useRef<HTMLDivElement>(null);
  const at = now();
  const meaning = meaningOfText(text, { now: at, zone, shown: shown() ?? at });

  const go = (instant: number) => {
    setText("");
    inputRef.current?.blur();
    onGo(instant);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (meaning.choices.length > 0) choices.current?.querySelector("button")?.focus();
    else if (meaning.at !== null) go(meaning.at);
  };

  return (
    <form class="time-box" role="search" onSubmit={submit} onKeyDown={(event) => {
      if (event.key !== "Escape") return;
      setText("");
      inputRef.current?.blur();
      event.stopPropagation();
    }}>
      <TextField label={t("timeline.goTo")} value={text} placeholder={t("timeline.example")} onInput={setText} inputRef={inputRef} />
      {text !== "" && (
        <div class={`time-understood small${meaning.isFault ? " is-fault" : ""}`} aria-live="polite">
          <span>{meaning.words}</span>
          {meaning.choices.length > 0 && (
            <div class="row wrap" ref={choices}>
              {meaning.choices.map((one) => <Button key={one.at} isSmall onClick={() => go(one.at)}>{one.label}</Button>)}
            </div>
          )}
        </div>
      )}
    </form>
  );
}
