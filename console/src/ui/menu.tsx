import { useEffect, useRef, useState } from "preact/hooks";
import { Button, type ButtonProps } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";

export interface MenuItem {
  label: string;
  icon?: IconName;
  isDanger?: boolean;
  isChosen?: boolean;
  disabled?: boolean;
  onChoose: () => void;
}

interface MenuProps {
  button: Omit<ButtonProps, "onClick" | "buttonRef" | "hasPopup" | "isExpanded">;
  items: MenuItem[];
}

/** A menu button (WAI-ARIA pattern): arrows move, letters find, Escape closes. */
export function Menu({ button, items }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const element = menu.current;
    if (!isOpen || !element || !opener.current) return;
    element.showPopover();
    place(element, opener.current);
    focusable(element)[0]?.focus();
  }, [isOpen]);

  const close = (returnsFocus: boolean) => {
    menu.current?.hidePopover();
    setOpen(false);
    if (returnsFocus) opener.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const all = menu.current ? focusable(menu.current) : [];
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const go = (to: number) => all[(to + all.length) % all.length]?.focus();
    switch (event.key) {
      case "ArrowDown": go(at + 1); break;
      case "ArrowUp": go(at - 1); break;
      case "Home": go(0); break;
      case "End": go(-1); break;
      case "Escape": close(true); break;
      case "Tab": close(false); return;
      default: {
        if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.key === " ") return;
        const key = event.key.toLowerCase();
        const next = [...all.slice(at + 1), ...all.slice(0, at + 1)]
          .find((item) => item.textContent?.trim().toLowerCase().startsWith(key));
        next?.focus();
      }
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <Button {...button} buttonRef={opener} hasPopup="menu" isExpanded={isOpen}
        onClick={() => (isOpen ? close(true) : setOpen(true))} />
      {isOpen && (
        <div ref={menu} class="menu" role="menu" popover="auto" onKeyDown={onKeyDown}
          onToggle={(event) => { if ((event as unknown as ToggleEvent).newState === "closed") setOpen(false); }}>
          {items.map((item) => (
            <button key={item.label} type="button" role="menuitem" tabIndex={-1} disabled={item.disabled}
              class={`menu-item${item.isDanger ? " danger" : ""}`}
              onClick={() => { close(true); item.onChoose(); }}>
              {item.icon ? <Icon name={item.icon} /> : item.isChosen !== undefined &&
                <span class="icon-svg">{item.isChosen && <Icon name="check" />}</span>}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </>
  );
}

function focusable(menu: HTMLElement): HTMLButtonElement[] {
  return [...menu.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];
}

/** Under the opener, or above where there is no room; inside the window. */
function place(menu: HTMLElement, opener: HTMLElement): void {
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, at.top - 4 - height) : below;
  const left = Math.min(Math.max(8, at.right - width), innerWidth - width - 8);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}
