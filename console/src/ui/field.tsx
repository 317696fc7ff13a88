import type { ComponentChildren, Ref } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  fault?: ComponentChildren;
}

interface TextProps extends FieldProps {
  name?: string;
  value?: string;
  type?: "text" | "password" | "number" | "search" | "datetime-local";
  placeholder?: string;
  required?: boolean;
  isMono?: boolean;
  autoComplete?: string;
  min?: number;
  max?: number;
  step?: number | "any";
  pattern?: string;
  maxLength?: number;
  disabled?: boolean;
  onInput?: (value: string) => void;
  inputRef?: Ref<HTMLInputElement>;
}

export function TextField({ label, hint, fault, isMono, onInput, inputRef, autoComplete, step, type = "text", ...rest }: TextProps) {
  const id = useId();
  return (
    <div class="field">
      <label class="label" for={id}>{label}</label>
      <input
        {...rest}
        type={type as "text"} // the types tell inputs apart by it
        {...(step === undefined ? {} : { step: String(step) })}
        id={id}
        {...(inputRef ? { ref: inputRef } : {})}
        class={`input${isMono ? " mono" : ""}${fault ? " bad" : ""}`}
        autocomplete={autoComplete ?? "off"}
        spellcheck={false}
        autocapitalize="off"
        aria-invalid={fault ? true : undefined}
        aria-describedby={hint || fault ? `${id}-more` : undefined}
        onInput={(event) => onInput?.(event.currentTarget.value)}
      />
      {(hint || fault) && <div id={`${id}-more`} class={fault ? "fault" : "hint"}>{fault || hint}</div>}
    </div>
  );
}

export interface Choice<Value extends string> {
  value: Value;
  label: string;
}

interface SelectProps<Value extends string> {
  label: string;
  hint?: ComponentChildren;
  value: Value;
  choices: readonly Choice<Value>[];
  onChange: (value: Value) => void;
  /** The label is for screen readers only. */
  isBare?: boolean;
  disabled?: boolean;
}

export function SelectField<Value extends string>(props: SelectProps<Value>) {
  const id = useId();
  const select = (
    <select
      id={id}
      class="select"
      value={props.value}
      disabled={props.disabled}
      aria-label={props.isBare ? props.label : undefined}
      onChange={(event) => props.onChange(event.currentTarget.value as Value)}
    >
      {props.choices.map(({ value, label }) => (
        <option key={value} value={value} selected={value === props.value}>{label}</option>
      ))}
    </select>
  );
  if (props.isBare) return select;
  return (
    <div class="field">
      <label class="label" for={id}>{props.label}</label>
      {select}
      {props.hint && <div class="hint">{props.hint}</div>}
    </div>
  );
}

interface CheckProps {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** The label is for screen readers only. */
  isBare?: boolean;
  isMixed?: boolean;
}

export function Check({ label, checked, onChange, isBare, isMixed }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        ref={(element) => { if (element) element.indeterminate = Boolean(isMixed); }}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class={isBare ? "visually-hidden" : ""}>{label}</span>
    </label>
  );
}
