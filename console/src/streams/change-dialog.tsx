// The frame of dialogs that change one or many streams: busy, progress, and what failed.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t, tn } from "../app/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Notice } from "../ui/states.tsx";
import type { Failure } from "./work.ts";
import "./dialogs.css";

interface ChangeDialogProps {
  title: string;
  verb: string;
  isDanger?: boolean;
  isReady: boolean;
  /** How many streams: progress is shown for more than one. */
  count: number;
  children: ComponentChildren;
  change: (progress: (done: number) => void) => Promise<Failure[]>;
  onDone: () => void;
  onClose: () => void;
}

export function ChangeDialog(props: ChangeDialogProps) {
  const [done, setDone] = useState<number | null>(null);
  const [failures, setFailures] = useState<Failure[]>([]);
  const submit = async () => {
    if (!props.isReady || done !== null) return;
    setFailures([]);
    setDone(0);
    const failed = await props.change(setDone);
    setDone(null);
    setFailures(failed);
    if (failed.length === 0) props.onDone();
  };
  const isBusy = done !== null;
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={props.onClose}>{t("cancel")}</Button>
          <Button type="submit" look={props.isDanger ? "danger" : "primary"} isFilled={Boolean(props.isDanger)}
            disabled={!props.isReady || isBusy}>
            {isBusy && props.count > 1 ? t("progress", { done, of: props.count }) : props.verb}
          </Button>
        </>
      }
    >
      {props.children}
      {failures.length > 0 && (
        <Notice kind="bad">
          {props.count > 1 && <p>{tn("failed", failures.length)}</p>}
          <ul class="failures">
            {failures.map(({ name, error }) => (
              <li key={name}>
                {props.count > 1 && <strong>{name} </strong>}{error.exception}: {error.message}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </Dialog>
  );
}
