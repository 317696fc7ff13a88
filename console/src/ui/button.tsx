import type { ComponentChildren, Ref } from "preact";
import { Icon, type IconName } from "./icon.tsx";

export interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName | undefined;
  /** Name of a button that shows an icon only. */
  label?: string;
  look?: "primary" | "danger" | "quiet" | undefined;
  /** A danger button that is also the one to press. */
  isFilled?: boolean;
  isSmall?: boolean;
  disabled?: boolean;
  isPressed?: boolean;
  type?: "button" | "submit";
  title?: string | undefined;
  onClick?: (event: MouseEvent) => void;
  buttonRef?: Ref<HTMLButtonElement>;
  id?: string;
  hasPopup?: "menu" | "dialog";
  isExpanded?: boolean;
}

export function Button(props: ButtonProps) {
  const { children, icon, label, look, isFilled, isSmall, type = "button" } = props;
  const classes = [
    "button", look, isFilled && "primary", isSmall && "small", icon && !children && "icon",
  ].filter(Boolean).join(" ");
  return (
    <button
      type={type}
      class={classes}
      id={props.id}
      aria-label={label}
      title={props.title ?? (children ? undefined : label)}
      disabled={props.disabled}
      aria-pressed={props.isPressed}
      aria-haspopup={props.hasPopup}
      aria-expanded={props.isExpanded}
      onClick={props.onClick}
      ref={props.buttonRef}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
