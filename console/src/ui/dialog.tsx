import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../app/i18n.ts";
import { Button } from "./button.tsx";

interface DialogProps {
  title: string;
  children: ComponentChildren;
  /** Buttons at the foot; those of type submit call {@link onSubmit}. */
  actions?: ComponentChildren;
  isWide?: boolean;
  onSubmit?: () => void;
  onClose: () => void;
}

/** Modal while it is drawn. Escape and the backdrop close it. */
export function Dialog({ title, children, actions, isWide, onSubmit, onClose }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>(".dialog-body input, .dialog-body select, footer button")?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog${isWide ? " wide" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => { if (event.target === ref.current) onClose(); }}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        <header>
          <h2 id={id}>{title}</h2>
          <Button look="quiet" icon="close" label={t("close")} onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer>{actions}</footer>}
      </form>
    </dialog>
  );
}
