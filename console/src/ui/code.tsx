import { t } from "../app/i18n.ts";
import { Button } from "./button.tsx";
import { copy, useCopied } from "./copy.ts";

interface CodeProps {
  text: string;
  /** What is copied, when it is more than what is shown. */
  copies?: string;
  label?: string;
}

/** Lines to copy. */
export function Code({ text, copies, label }: CodeProps) {
  const [isCopied, setCopied] = useCopied();
  return (
    <div class="code">
      <pre tabIndex={0} aria-label={label}>{text}</pre>
      <Button isSmall look="quiet" icon={isCopied ? "check" : "copy"} label={isCopied ? t("copied") : t("copy")}
        onClick={() => void copy(copies ?? text).then(setCopied)} />
    </div>
  );
}
