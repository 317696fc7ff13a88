import type { RefObject } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../../app/i18n.ts";
import { clock, describe, offsetName } from "../../time/format.ts";
import { parseTime } from "../../time/parse.ts";
import { Button } from "../../ui/button.tsx";
import { TextField } from "../../ui/field.tsx";
import { timeWords } from "./gap-words.ts";

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
  const understood = parseTime(text, { now: at, zone, shown: shown() ?? at });
  const { kind } = understood;

  const go = (instant: number) => {
    setText("");
    inputRef.current?.blur();
    onGo(instant);
  };
  /** Instants that may be meant, with what tells them apart. */
  const meant: { at: number; label: string }[] =
    kind === "instant" && understood.instants.length === 2
      ? understood.instants.map((instant) => ({ at: instant, label: `${clock(instant, understood.zone)} ${offsetName(instant, understood.zone)}` }))
      : kind === "missing"
        ? [{ at: understood.skip.at, label: t("timeline.goAfter", { time: clock(understood.skip.at, understood.zone) }) }]
        : [];

  const submit = (event: Event) => {
    event.preventDefault();
    if (meant.length > 0) choices.current?.querySelector("button")?.focus();
    else if (kind === "instant") go(understood.instants[0]);
    else if (kind === "fragment" && understood.instant !== null) go(understood.instant);
  };

  const words = kind === "fragment" && understood.instant === null ? t("timeline.foreignFragment") : describe(understood, at, timeWords());
  const isFault = text !== "" && (kind === "unreadable" || (kind === "fragment" && understood.instant === null));
  return (
    <form class="time-box" role="search" onSubmit={submit} onKeyDown={(event) => {
      if (event.key !== "Escape") return;
      setText("");
      inputRef.current?.blur();
      event.stopPropagation();
    }}>
      <TextField label={t("timeline.goTo")} value={text} placeholder={t("timeline.example")} onInput={setText} inputRef={inputRef} />
      {text !== "" && (
        <div class={`time-understood small${isFault ? " is-fault" : ""}`} aria-live="polite">
          <span>{words}</span>
          {meant.length > 0 && (
            <div class="row wrap" ref={choices}>
              {meant.map((one) => <Button key={one.at} isSmall onClick={() => go(one.at)}>{one.label}</Button>)}
            </div>
          )}
        </div>
      )}
    </form>
  );
}
