import type { ComponentChildren } from "preact";
import { go } from "./router.ts";
import { type Query, type Route, formatQuery, pathOf } from "./routes.ts";

interface LinkProps {
  to: Route;
  query?: Query;
  class?: string;
  children: ComponentChildren;
  isCurrent?: boolean;
  title?: string;
  tabIndex?: number;
}

/** A link of this page: a modified click stays the browser's. */
export function Link({ to, query = {}, children, isCurrent, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={pathOf(to) + formatQuery(query)}
      aria-current={isCurrent ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to, query);
      }}
    >
      {children}
    </a>
  );
}
